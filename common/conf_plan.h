// SPDX-License-Identifier: Apache-2.0
// conf_plan.h: what the readers of plan.yaml share. Private to common/conf_plan*.c.
#pragma once

#include "conf.h"
#include "conf_nodes.h"

// The keys of a table, in the order in which they are read.
typedef enum wn_plan_key {
    WN_PLAN_id,
    WN_PLAN_doc,
    WN_PLAN_purpose,
    WN_PLAN_profile,
    WN_PLAN_dimensions,
    WN_PLAN_of,
    WN_PLAN_measures,
    WN_PLAN_clamp,
    WN_PLAN_number_clamp,
    WN_PLAN_cells,
    WN_PLAN_share,
    WN_PLAN_receivers,
    WN_PLAN_contract,
    WN_PLAN_KEYS_N
} wn_plan_key;

// A table as it stands in the file: where a mistake is placed, and which keys are there at all.
typedef struct wn_plan_row {
    wn_table *table;
    const yaml_node_t *item, *at[WN_PLAN_KEYS_N]; // NULL: not there
} wn_plan_row;

#define WN_PLAN_CLAMP_MIN 20
#define WN_PLAN_CLAMP_MAX 200
#define WN_PLAN_NUMBER_CLAMP_DEFAULT 1000
#define WN_RHO_MICRO_MIN 1000

// Each answers false after wn_nodes_no.
// One table by itself; fills in what follows from the rest (k, share).
bool wn_plan_check_table(wn_nodes *d, const wn_plan_row *row);
// Table i against those before it.
bool wn_plan_check_place(wn_nodes *d, const wn_plan *p, size_t i, const wn_plan_row *row);
