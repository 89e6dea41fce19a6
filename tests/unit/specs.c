/* SPDX-License-Identifier: BSD-2-Clause */
#include "specs.h"

#include <jitframe/backend.h>
#include <jitframe/describe.h>
#include <stdio.h>

static const uint8_t out_args[] = {0, 1, 3, 4, 7};

static uint32_t stack_size(const struct jf_convention *conv, unsigned int i)
{
	static const uint32_t sizes[] = {0, 8, 16, 24, 64, 512};

	return i < 6 ? sizes[i] : conv->bpf_stack_max_bytes;
}

static void each_option(const struct jf_convention *conv, struct jf_frame_spec *spec, spec_fn *fn, void *arg)
{
	for (unsigned int bits = 0; bits < 32; bits++) {
		spec->tail_calls = bits & 1;
		spec->arena = bits & 2;
		spec->private_stack = bits & 4;
		spec->landing_pads = bits & 8;
		spec->sign_return = bits & 16;
		for (unsigned int i = 0; i < sizeof(out_args); i++) {
			spec->out_args = out_args[i];
			fn(conv, spec, arg);
		}
	}
}

void each_spec(const struct jf_convention *conv, spec_fn *fn, void *arg)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	for (spec.role = 0; spec.role < JF_ROLE__COUNT; spec.role++) {
		for (unsigned int regs = 0; regs < 32; regs++) {
			spec.bpf_regs_used = (uint16_t)(regs << 6);
			for (unsigned int i = 0; i < 7; i++) {
				spec.bpf_stack_bytes = stack_size(conv, i);
				each_option(conv, &spec, fn, arg);
			}
		}
	}
}

void spec_text(const struct jf_convention *conv, const struct jf_frame_spec *spec, char *text, size_t capacity)
{
	snprintf(text, capacity, "%s/%s %s, stack %u, registers %x, out args %u%s%s%s%s%s", conv->backend->name,
		 conv->name, jf_role_name((enum jf_role)spec->role), spec->bpf_stack_bytes, spec->bpf_regs_used,
		 spec->out_args, spec->tail_calls ? ", tail calls" : "", spec->arena ? ", arena" : "",
		 spec->private_stack ? ", private stack" : "", spec->landing_pads ? ", landing pads" : "",
		 spec->sign_return ? ", signed returns" : "");
}
