/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "conventions.h"

#include <inttypes.h>

/* struct jf_branches of every backend against what put_branch does with the branches that jumps are made of. */

#define ADDRESS UINT64_C(0x7f0000000000)
#define MET_MAX 256

static const struct jf_backend *met_backend;
static uint32_t met[MET_MAX];
static unsigned int met_count;

/* Remembers what branches there are. */
static unsigned int put_and_remember(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form)
{
	unsigned int i = 0;

	while (i < met_count && met[i] != branch)
		i++;
	if (i == met_count && i < MET_MAX)
		met[met_count++] = branch;
	return met_backend->body.put_branch(at, branch, distance, form);
}

/* Compiles one jump after the other, each over one instruction. */
static void meet(const struct jf_convention *conv, const struct jf_insn *jumps, uint32_t count)
{
	struct jf_backend backend = *conv->backend;
	struct jf_convention copy = *conv;

	copy.backend = &backend;
	backend.body.put_branch = put_and_remember;
	met_backend = conv->backend;
	met_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct jf_insn insns[] = {jumps[i], ALU64_X(XOR, 6, 7), EXIT};
		const struct jf_function function = FUNCTION("main", insns);
		const struct jf_program program = {
			.size = sizeof(struct jf_program), .functions = &function, .function_count = 1, .callback = -1};
		uint8_t code[4096];
		struct jf_image *image;

		CHECK_STATUS(jf_compile(&copy, &program, NULL, code, sizeof(code), ADDRESS, &image, NULL), JF_OK,
			     "%s, jump %u", conv->name, i);
		jf_image_free(image);
	}
	CHECK(met_count && met_count < MET_MAX, "%s: %u branches", conv->name, met_count);
}

static void check_branch(const struct jf_backend *backend, uint32_t branch, unsigned int form,
			 const struct jf_branch_form *wanted)
{
	int64_t reach = wanted->reach / backend->insn_align * backend->insn_align;
	uint8_t bytes[JF_INSN_BYTES_MAX];

	for (int end = -1; end <= 1; end++)
		CHECK(backend->body.put_branch(bytes, branch, end * reach, form) == wanted->bytes,
		      "%s: branch %08x, form %u over %" PRId64, backend->name, branch, form, end * reach);
}

/* Each branch that has a form has it in the length that the table says, and reaches as far, either way. */
static void check_forms(const struct jf_backend *backend, const struct jf_branch_form forms[JF_BRANCH_FORMS_MAX])
{
	for (unsigned int form = 0; form < JF_BRANCH_FORMS_MAX; form++) {
		unsigned int having = 0;

		for (unsigned int i = 0; i < met_count; i++) {
			uint8_t bytes[JF_INSN_BYTES_MAX];

			if (!backend->body.put_branch(bytes, met[i], 0, form))
				continue;
			having++;
			check_branch(backend, met[i], form, &forms[form]);
		}
		CHECK(!having == !forms[form].bytes, "%s: %u branches have form %u", backend->name, having, form);
	}
}

ALL_CONVENTIONS(branch_forms, are_as_the_table_says)
{
	static const uint8_t codes[] = {JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE};
	static const int32_t imms[] = {-1, 0, 1, 8, 1 << 20, 0x12345};
	const struct jf_convention *conv = convention_at(*index);
	const struct jf_insn always[] = {JA(1)};
	struct jf_insn jumps[COUNT_OF(codes) * (COUNT_OF(imms) + 1) * 2];
	uint32_t count = 0;

	for (unsigned int code = 0; code < COUNT_OF(codes); code++) {
		for (unsigned int i = 0; i < COUNT_OF(imms); i++) {
			jumps[count++] = (struct jf_insn)J_K(codes[code], 1 + i % 5, imms[i], 1);
			jumps[count++] = (struct jf_insn)J32_K(codes[code], 6 + i % 4, imms[i], 1);
		}
		jumps[count++] = (struct jf_insn)J_X(codes[code], 1, 6, 1);
		jumps[count++] = (struct jf_insn)J32_X(codes[code], 0, 2, 1);
	}
	meet(conv, jumps, count);
	check_forms(conv->backend, conv->backend->branches->forms[JF_BRANCH_IF]);
	meet(conv, always, 1);
	check_forms(conv->backend, conv->backend->branches->forms[JF_BRANCH_ALWAYS]);
}
