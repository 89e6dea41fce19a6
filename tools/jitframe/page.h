/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_PAGE_H
#define JF_TOOLS_PAGE_H

#include <jansson.h>

/*
 * The page of `jitframe check --html`: one file of HTML that needs no other. Its data is what --json prints, with what
 * holds at each instruction beside; page/ has the script that shows them.
 */

struct page;
struct check_output;
struct checked;

/* path: where the page goes, "-": standard output; input: the file that is checked. Both are the caller's, and stay
 * until page_free(). returns: NULL after a message. */
struct page *page_new(const char *path, const char *input);
void page_free(struct page *page);
void page_add(struct page *page, struct check_output *output, const struct checked *checked);
/* returns: 0, or prints and an exit status. */
int page_write(struct page *page, const struct check_output *output);

/* ---- the code of one function (page_code.c) ---- */

/* What registers and words hold, each different one once: what instructions have are indexes. */
struct page_values {
	json_t *list;
	json_t *index; /* by text */
};

/* The instructions with what holds before each: see the comment there. */
json_t *page_code(struct check_output *output, const struct checked *checked, struct page_values *values);

#endif
