/* SPDX-License-Identifier: BSD-2-Clause */
#include "frames.h"

struct jf_values frames_values(unsigned int n)
{
	return (struct jf_values){
		.arena_base = n % 2 ? UINT64_C(0xffff800012345000) : 0,
		.private_stack = n % 3 ? UINT64_C(0x654321000) : UINT64_C(0x7ffffff0),
	};
}

struct visitor {
	const struct jf_convention *conv;
	void (*visit)(void *arg, const struct jf_frame *frame);
	void *arg;
	unsigned int refused;
};

static void each_option(struct visitor *v, struct jf_frame_spec *spec)
{
	static const uint8_t out_args[] = {0, 1, 3, 4, 7};

	for (unsigned int bits = 0; bits < 128; bits++) {
		spec->tail_calls = bits & 1;
		spec->arena = bits & 2;
		spec->private_stack = bits & 4;
		spec->landing_pads = bits & 8;
		spec->sign_return = bits & 16;
		spec->cleanups = bits & 32;
		spec->throws = bits & 64;
		if (spec->throws && !spec->cleanups)
			continue;
		for (unsigned int i = 0; i < sizeof(out_args); i++) {
			struct jf_frame frame;

			spec->out_args = out_args[i];
			if (jf_frame_solve(v->conv, spec, &frame, NULL) == JF_OK)
				v->visit(v->arg, &frame);
			else
				v->refused++;
		}
	}
}

unsigned int frames_each(const struct jf_convention *conv, void (*visit)(void *arg, const struct jf_frame *frame),
			 void *arg)
{
	static const uint8_t regs[] = {0x00, 0x01, 0x02, 0x05, 0x0a, 0x0f, 0x10, 0x1f}; /* R6..R10 */
	const uint32_t stacks[] = {0, 8, 24, 512, conv->bpf_stack_max_bytes};
	struct visitor v = {.conv = conv, .visit = visit, .arg = arg};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	for (spec.role = 0; spec.role < JF_ROLE__COUNT; spec.role++) {
		for (unsigned int i = 0; i < sizeof(regs); i++) {
			spec.bpf_regs_used = (uint16_t)(regs[i] << 6);
			for (unsigned int k = 0; k < sizeof(stacks) / sizeof(stacks[0]); k++) {
				spec.bpf_stack_bytes = stacks[k];
				each_option(&v, &spec);
			}
		}
	}
	return v.refused;
}
