/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_PAGE_TEXT_H
#define JF_TOOLS_PAGE_TEXT_H

/* The files of page/, made into strings by page/embed.py. A page is head, data, middle, frames, tail. */
extern const char page_head[], page_middle[], page_tail[];
/* How frames are drawn, in CSS. */
extern const char page_frame_style[];

#endif
