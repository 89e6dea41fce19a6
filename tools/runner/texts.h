/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_TEXTS_H
#define JF_RUNNER_TEXTS_H

#include <stdint.h>

/*
 * The kfuncs bpf_str*() for strings, semantics as the kernel's: an index, a length or the result of a comparison;
 * -ENOENT (not found), -EFAULT (a string that cannot be read), -E2BIG (one over 64 KiB), -ERANGE (an address that no
 * kernel has). A string is an address; count = of characters that are looked at, at most.
 */
int32_t string_compare(uint64_t a, uint64_t b);
int32_t string_compare_folded(uint64_t a, uint64_t b);
int32_t string_compare_count_folded(uint64_t a, uint64_t b, uint64_t count);
int32_t string_find(uint64_t s, int8_t c);
int32_t string_find_or_end(uint64_t s, int8_t c);
int32_t string_find_count(uint64_t s, uint64_t count, int8_t c);
int32_t string_find_last(uint64_t s, int32_t c);
int32_t string_length(uint64_t s);
int32_t string_length_count(uint64_t s, uint64_t count);
int32_t string_span(uint64_t s, uint64_t accept);
int32_t string_span_not(uint64_t s, uint64_t reject);
int32_t string_search(uint64_t s, uint64_t wanted);
int32_t string_search_folded(uint64_t s, uint64_t wanted);
int32_t string_search_count(uint64_t s, uint64_t wanted, uint64_t count);
int32_t string_search_count_folded(uint64_t s, uint64_t wanted, uint64_t count);

#endif
