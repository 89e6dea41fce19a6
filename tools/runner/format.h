/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_FORMAT_H
#define JF_RUNNER_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define FORMAT_ARGS_MAX 12

/*
 * What bpf_trace_printk() and its kin format: %c %d %i %u %x %X, with l or ll too, %p and its variants
 * (as hexadecimal addresses), %s (an address that is read with care) and %%; with the flags "-+ 0#" and a
 * width. Arguments are the 64-bit values in args[0, count).
 * in: fmt[0, fmt_bytes) holds a NUL.
 * out: text[0, capacity), cut where it does not fit and always terminated when capacity > 0.
 * returns: the length that it needs without the NUL; -EINVAL for another format, too few arguments.
 */
int64_t format_text(char *text, size_t capacity, const char *fmt, size_t fmt_bytes, const uint64_t *args, size_t count);

#endif
