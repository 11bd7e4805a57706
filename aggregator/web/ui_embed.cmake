# Writes OUT (a C file) that holds every file of the folders in DIRS: as it is
# and packed by gzip, with its type and a tag of its content. A later folder's
# file takes the place of an earlier one's of the same name. FILES are single
# ones, as NAME=FILE.
#   cmake -DOUT=ui_files.c -DDIRS=dir,dir -DFILES=name=file,… -P ui_embed.cmake
set(types .html "text/html\; charset=utf-8" .js "text/javascript\; charset=utf-8" .css "text/css\; charset=utf-8"
          .json "application/json" .svg "image/svg+xml" .png "image/png" .ico "image/x-icon" .woff2 "font/woff2"
          .webmanifest "application/manifest+json" .txt "text/plain\; charset=utf-8")
string(REPLACE "," ";" DIRS "${DIRS}")
string(REPLACE "," ";" FILES "${FILES}")
get_filename_component(folder ${OUT} DIRECTORY)
set(names)
foreach(dir ${DIRS})
  file(GLOB_RECURSE files RELATIVE ${dir} ${dir}/*)
  foreach(name ${files})
    list(APPEND names ${name})
    string(MAKE_C_IDENTIFIER "from_${name}" key)
    set(${key} ${dir}/${name})
  endforeach()
endforeach()
foreach(pair ${FILES})
  string(REGEX MATCH "^([^=]+)=(.+)$" pair "${pair}")
  list(APPEND names ${CMAKE_MATCH_1})
  string(MAKE_C_IDENTIFIER "from_${CMAKE_MATCH_1}" key)
  set(${key} ${CMAKE_MATCH_2})
endforeach()
list(REMOVE_DUPLICATES names)
list(SORT names)
set(rows "")
set(bytes "")
set(n 0)
foreach(name ${names})
  string(MAKE_C_IDENTIFIER "from_${name}" key)
  set(file ${${key}})
  string(REGEX MATCH "\\.[a-z0-9]+$" end "${name}")
  list(FIND types "${end}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${file}: ui_embed.cmake has no content type for \"${end}\"")
  endif()
  math(EXPR at "${at}+1")
  list(GET types ${at} type)
  file(SHA256 ${file} digest)
  string(SUBSTRING ${digest} 0 16 tag)
  set(packed ${folder}/ui/${name}.gz)
  get_filename_component(packed_folder ${packed} DIRECTORY)
  file(MAKE_DIRECTORY ${packed_folder})
  execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND bytes "BYTES(${n}, plain, \"${file}\")\nBYTES(${n}, packed, \"${packed}\")\n")
  string(APPEND rows "    {\"/${name}\", \"${type}\", \"\\\"${tag}\\\"\", ui_${n}_plain, ui_${n}_plain_end, ui_${n}_packed, ui_${n}_packed_end},\n")
  math(EXPR n "${n}+1")
endforeach()
file(WRITE ${OUT} "// Written by ui_embed.cmake.
#include \"ui_files.h\"

#define BYTES(n, form, file) \\
    __asm__(\".pushsection .rodata\\n.global ui_\" #n \"_\" #form \"\\n.global ui_\" #n \"_\" #form \"_end\\n\" \\
            \"ui_\" #n \"_\" #form \": .incbin \\\"\" file \"\\\"\\nui_\" #n \"_\" #form \"_end: .byte 0\\n.popsection\\n\"); \\
    extern const unsigned char ui_##n##_##form[], ui_##n##_##form##_end[];
${bytes}
const wn_ui_file wn_ui_files[] = {
${rows}};
const size_t wn_ui_files_n = ${n};
")
