// SPDX-License-Identifier: Apache-2.0
// cli_man.c: help and manual of `winnow`, from the commands' own descriptions.
#include <string.h>

#include "cli.h"

// Paragraphs, wrapped at 80 columns; a line that begins with a space stands as it is.
static void wrap(FILE *out, const char *text, int indent) {
    int column = 0;
    while (*text) {
        if (*text == '\n' || (column == 0 && *text == ' ')) {
            if (column) fputc('\n', out);
            column = 0;
            if (*text == '\n' && text[1] != ' ') {
                text++;
                continue;
            }
            text += *text == '\n';
            int n = (int)strcspn(text, "\n");
            fprintf(out, "%*s%.*s\n", indent, "", n, text);
            text += n + (text[n] == '\n');
            continue;
        }
        int n = (int)strcspn(text, " \n");
        if (column > 0 && column + 1 + n <= 80) {
            column += fprintf(out, " %.*s", n, text);
        } else {
            if (column > 0) fputc('\n', out);
            column = fprintf(out, "%*s%.*s", indent, "", n, text);
        }
        text += n;
        if (*text == ' ') text += strspn(text, " ");
    }
    if (column) fputc('\n', out);
}

void wn_command_help(const wn_command *cmd, FILE *out) {
    fprintf(out, "Usage: winnow %s%s%s\n\n", cmd->name, cmd->usage[0] ? " " : "", cmd->usage);
    wrap(out, cmd->doc, 0);
    if (cmd->more) {
        fputc('\n', out);
        wrap(out, cmd->more, 0);
    }
    if (cmd->flags_n) fputs("\nFlags\n", out);
    for (size_t i = 0; i < cmd->flags_n; i++) {
        const wn_flag *f = &cmd->flags[i];
        fprintf(out, "  --%s%s%s\n", f->name, f->word ? " " : "", f->word ? f->word : "");
        wrap(out, f->doc, 8);
    }
    fputs("\n`winnow --help` lists the options of every command (--state-dir, --config-dir, …).\n", out);
}

void wn_cli_help(FILE *out) {
    fputs("Usage: winnow COMMAND [WORD]... [FLAG]...\n\n"
          "Winnow counts how a product is used and lets nothing out but crowds.\n\nCommands\n",
          out);
    for (size_t i = 0; i < wn_commands_n; i++) {
        const char *usage = wn_commands[i]->usage;
        fprintf(out, "  %s%s%s\n", wn_commands[i]->name, usage[0] ? " " : "", usage);
        wrap(out, wn_commands[i]->doc, 8);
    }
    fputs("\n`winnow COMMAND --help` says more. The exit code is 0 when all went well, 1 on\n"
          "failure, 2 on a mistake in the call, 3 when `explain` found something.\n\n",
          out);
    wn_options_help(WN_PROG_CLI, out);
}

static void roff(FILE *out, const char *text) {
    bool at_start = true;
    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        at_start = *text == '\n';
        if (*text == '\\') fputs("\\e", out);
        else if (*text == '-') fputs("\\-", out);
        else if (*text == '\n' && text[1] == ' ') fputs("\n.br\n", out);
        else fputc(*text, out);
    }
}

void wn_cli_man(FILE *out) {
    fprintf(out,
            ".TH winnow 1 \"\" \"Winnow %s\"\n.SH NAME\nwinnow \\- counts how a product is used and lets "
            "nothing out but"
            " crowds\n.SH SYNOPSIS\n.B winnow\n\\fICOMMAND\\fR [\\fIWORD\\fR]... [\\fIFLAG\\fR]...\n.SH "
            "COMMANDS\n",
            WN_VERSION);
    for (size_t i = 0; i < wn_commands_n; i++) {
        const wn_command *cmd = wn_commands[i];
        fputs(".SS winnow ", out);
        roff(out, cmd->name);
        fputc(' ', out);
        roff(out, cmd->usage);
        fputc('\n', out);
        roff(out, cmd->doc);
        fputc('\n', out);
        if (cmd->more) {
            fputs(".PP\n", out);
            roff(out, cmd->more);
            fputc('\n', out);
        }
        for (size_t j = 0; j < cmd->flags_n; j++) {
            fputs(".TP\n.B \\-\\-", out);
            roff(out, cmd->flags[j].name);
            if (cmd->flags[j].word) fprintf(out, " \\fI%s\\fR", cmd->flags[j].word);
            fputc('\n', out);
            roff(out, cmd->flags[j].doc);
            fputc('\n', out);
        }
    }
    wn_options_man_rows(WN_PROG_CLI, out);
    fputs(".SH EXIT STATUS\n0 when all went well, 1 on failure, 2 on a mistake in the call, 3 when\n.B "
          "explain\n"
          "found something identifying.\n.SH SEE ALSO\n.BR winnow\\-collector (8),\n.BR winnow\\-aggregator "
          "(8),\n.BR winnow\\-web (8)\n",
          out);
}
