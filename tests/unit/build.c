/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "conventions.h"

#include <string.h>

/* Frames built by the steps of a backend, when a step is missing. */

/* By place in struct jf_build_ops, which holds nothing but hooks. */
#define HOOKS      (sizeof(struct jf_build_ops) / sizeof(void (*)(void)))
#define HOOK(name) (offsetof(struct jf_build_ops, name) / sizeof(void (*)(void)))

static const size_t optional[] = {HOOK(enter), HOOK(fresh_count), HOOK(tail_pad), HOOK(adopt_count), HOOK(leave)};

struct spoilt {
	struct jf_build_ops ops;
	struct jf_backend backend;
	struct jf_convention conv;
	const struct jf_convention *convs[1];
};

static void spoil(struct spoilt *s, const struct jf_convention *conv, size_t hook)
{
	s->ops = *conv->backend->build;
	memset((char *)&s->ops + hook * sizeof(void (*)(void)), 0, sizeof(void (*)(void)));
	s->backend = *conv->backend;
	s->backend.build = &s->ops;
	s->backend.orc = NULL; /* tables name the backend that they are of */
	s->conv = *conv;
	s->conv.backend = &s->backend;
	s->convs[0] = &s->conv;
	s->backend.conventions = s->convs;
	s->backend.convention_count = 1;
}

static bool is_optional(size_t hook)
{
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (optional[i] == hook)
			return true;
	return false;
}

struct emitted {
	enum jf_status status;
	size_t size;
	uint8_t bytes[2048];
};

static bool emit(const struct jf_convention *conv, unsigned int role, unsigned int bits, struct emitted *out)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;
	struct jf_code code;

	spec.role = role;
	spec.bpf_stack_bytes = 64;
	spec.bpf_regs_used = 0x7c0;
	spec.tail_calls = bits & 1;
	spec.arena = bits & 2;
	spec.private_stack = bits & 4;
	spec.sign_return = bits & 8;
	if (jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK)
		return false;
	jf_code_init(&code, out->bytes, sizeof(out->bytes), 0, NULL, 0);
	out->status = jf_frame_emit(&code, &frame, JF_PART_ALL, NULL);
	out->size = code.size;
	return true;
}

static void compare_frames(const struct jf_convention *whole, const struct jf_convention *conv, size_t hook)
{
	struct emitted a, b;

	for (unsigned int role = 0; role < JF_ROLE__COUNT; role++) {
		for (unsigned int bits = 0; bits < 16; bits++) {
			if (!emit(whole, role, bits, &a) || !emit(conv, role, bits, &b))
				continue;
			cr_assert_eq(a.status, JF_OK);
			cr_assert(b.status == JF_OK || b.status == JF_E_BAD_DESC);
			if (b.status == JF_OK && !is_optional(hook))
				CHECK(a.size == b.size && !memcmp(a.bytes, b.bytes, a.size),
				      "%s/%s without hook %zu: other code", whole->backend->name, whole->name, hook);
		}
	}
}

/* A frame without a step that it needs is none: the backend is refused, or the code fails. */
ALL_CONVENTIONS(build, no_step_is_left_out_in_silence)
{
	const struct jf_convention *conv = convention_at(*index);
	unsigned int missed = 0;

	if (!conv->backend->build)
		cr_skip("%s builds its frames itself", conv->backend->name);
	for (size_t hook = 0; hook < HOOKS; hook++) {
		struct spoilt s;

		spoil(&s, conv, hook);
		if (jf_backend_check(&s.backend, NULL) != JF_OK)
			missed++;
		else
			compare_frames(conv, &s.conv, hook);
	}
	CHECK(missed >= 5, "%u hooks are missed by jf_backend_check()", missed);
}

/* What a convention asks for and nobody does is a contradiction of its own. */
ALL_CONVENTIONS(build, a_convention_asks_for_what_is_there)
{
	const struct jf_convention *conv = convention_at(*index);
	struct jf_error error;
	struct spoilt s;

	if (!conv->backend->build)
		cr_skip("%s builds its frames itself", conv->backend->name);
	spoil(&s, conv, HOOK(enter));
	s.conv.sp_steps = JF_SP__COUNT;
	cr_assert_eq(jf_backend_check(&s.backend, &error), JF_E_BAD_DESC);
	cr_assert_not_null(strstr(error.text, "sp_steps"), "%s", error.text);
	spoil(&s, conv, HOOK(enter));
	s.conv.tail_keeps = JF_FRAME_SLOTS_MAX + 1;
	cr_assert_eq(jf_backend_check(&s.backend, &error), JF_E_BAD_DESC);
	cr_assert_not_null(strstr(error.text, "no tail-call entry"), "%s", error.text);
	spoil(&s, conv, HOOK(enter));
	s.conv.bpf_fp_when = 0;
	if (conv->bpf_reg[JF_BPF_FP] == conv->backend->fp)
		return;
	cr_assert_eq(jf_backend_check(&s.backend, &error), JF_E_BAD_DESC);
	cr_assert_not_null(strstr(error.text, "bpf_fp_when"), "%s", error.text);
}
