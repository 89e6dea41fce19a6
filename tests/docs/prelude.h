/* SPDX-License-Identifier: BSD-2-Clause */
/* What the C of pages and of comments takes for granted: snippets.py puts this in front. */
#include <dlfcn.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <unistd.h>

#define index orc_index /* not the function of <strings.h> */

extern const struct jf_backend *backend;
extern const struct jf_convention *conv;
extern const struct jf_orc_index *index;
extern const struct jf_slot *slots;
extern struct jf_body *b;
extern struct jf_cfi_counts counts;
extern struct jf_cfi_table *table;
extern struct jf_error error;
extern struct jf_loaded *loaded;
extern uint64_t address, start, end;
extern uint8_t *bytes;
extern int f(unsigned int length, bool wait);
/* Of code that is being made. */
extern struct jf_code code;
extern struct jf_body body;
extern struct jf_frame_spec spec;
extern struct jf_row *rows;
extern struct jf_range range;
extern size_t capacity, row_capacity;
extern uint64_t callback;
/* Of code that throws. */
extern uint64_t evaluate(void *), parse(void *), value;
extern void *text;
/* Of somebody's own JIT. */
extern const struct jf_range_rows *ask(void *arg, const struct jf_range *range);
extern void *my_function;
extern struct jf_convention own;
extern const struct jf_convention *user;
extern struct jf_area *own_areas;
extern struct jf_slot_rule own_rules[1][8];
extern struct jf_finding *findings;
extern size_t size, n;
extern uint8_t k;
extern enum jf_status status;
enum { IF_NOT_EQUAL };
