/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_VALUES_H
#define JF_RUNNER_VALUES_H

#include "bundle.h"

/*
 * Variables and maps by name. In `text`, VARIABLE=VALUE or MAP[KEY]=VALUE, a key or value is a number, of up to 8
 * bytes, or "hex:" and its bytes as pairs of digits; the value of a program array is a program's name.
 * Before maps_apply_inits(), which protects constants.
 * returns: JF_E_NOT_FOUND (a name), JF_E_INVAL (what is no key or value of that size, or no room); as programs_set().
 */
enum jf_status values_set(const struct bundle *bundle, const char *text, struct jf_error *error);

/* Reports a variable, or the elements of a map; of arrays those that are not all zero. returns: JF_E_NOT_FOUND. */
enum jf_status values_dump(const struct bundle *bundle, const char *name, struct jf_error *error);

#endif
