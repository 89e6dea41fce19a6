/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include "../unit/bpf.h"
#include "../unit/check.h"
#include "../unit/toy.h"

/*
 * What decoders say of conditional branches: every jump of BPF is compiled by every convention, and run on the
 * machine with numbers around the borders. It has to go where C says.
 */

#define ADDRESS UINT64_C(0x10000000)

static const struct {
	uint8_t code, cond;
} jumps[] = {
	{JEQ, JF_COND_EQ},   {JNE, JF_COND_NE},   {JGT, JF_COND_GT},   {JGE, JF_COND_GE},
	{JLT, JF_COND_LT},   {JLE, JF_COND_LE},   {JSGT, JF_COND_SGT}, {JSGE, JF_COND_SGE},
	{JSLT, JF_COND_SLT}, {JSLE, JF_COND_SLE}, {JSET, JF_COND_SET},
};

static const uint64_t numbers[] = {
	0,
	1,
	2,
	33,
	34,
	0x7fffffff,
	0x80000000,
	UINT32_MAX,
	UINT64_C(1) << 32,
	UINT64_C(1) << 63,
	UINT64_MAX,
	UINT64_MAX - 1,
	(uint64_t)INT32_MIN,
	UINT64_MAX >> 1,
	0xffffffff00000001,
};

static bool in_c(uint8_t cond, uint64_t a, uint64_t b, bool wide)
{
	int64_t sa = wide ? (int64_t)a : (int32_t)a, sb = wide ? (int64_t)b : (int32_t)b;

	a = wide ? a : (uint32_t)a;
	b = wide ? b : (uint32_t)b;
	switch (cond) {
	case JF_COND_EQ: return a == b;
	case JF_COND_NE: return a != b;
	case JF_COND_GT: return a > b;
	case JF_COND_GE: return a >= b;
	case JF_COND_LT: return a < b;
	case JF_COND_LE: return a <= b;
	case JF_COND_SGT: return sa > sb;
	case JF_COND_SGE: return sa >= sb;
	case JF_COND_SLT: return sa < sb;
	case JF_COND_SLE: return sa <= sb;
	default: return a & b;
	}
}

/* r1 and r2 are arguments: r0 = whether the jump was taken. */
struct jump {
	struct jf_insn insns[5];
	uint8_t code[1024];
	uint32_t size;
};

static void compile(struct jump *jump, const struct jf_convention *conv, uint8_t opcode, int32_t imm)
{
	struct jf_insn insns[5] = {MOV_K(0, 1), INSN(opcode, 1, opcode & 8 ? 2 : 0, 1, imm), MOV_K(0, 0), EXIT};
	struct jf_function function = {.name = "jump", .insns = insns, .insn_count = 4};
	struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_error error = {.text = ""};
	struct jf_image *image;

	CHECK_STATUS(jf_compile(conv, &program, NULL, jump->code, sizeof(jump->code), ADDRESS, &image, &error), JF_OK,
		     "%s/%s: %s", conv->backend->name, conv->name, error.text);
	jump->size = (uint32_t)image->size_bytes;
	jf_image_free(image);
}

/* returns: how many branches were met whose outcome is known; they decide about `taken`. */
static unsigned int run(const struct jump *jump, const struct jf_convention *conv, uint64_t a, uint64_t b, bool *taken)
{
	static struct machine m;
	enum machine_event event = EVENT_NONE;
	unsigned int known = 0;

	machine_init(&m, conv->backend, 1);
	m.reg[conv->backend->sp] = MACHINE_CFA;
	machine_load(&m, jump->code, jump->size, ADDRESS);
	m.reg[conv->bpf_reg[JF_BPF_R1]] = a;
	m.reg[conv->bpf_reg[JF_BPF_R2]] = b;
	for (unsigned int step = 0; step < 200 && event == EVENT_NONE; step++) {
		bool way = false;

		known += machine_knows(&m, &way);
		event = machine_step(&m, way);
	}
	CHECK(event == EVENT_JUMP_OUT, "%s/%s does not return", conv->backend->name, conv->name);
	*taken = m.reg[conv->bpf_reg[JF_BPF_R0]] != 0;
	return known;
}

static void check_jump(const struct jf_convention *conv, unsigned int i, uint8_t opcode, bool by_reg)
{
	static struct jump jump;
	bool wide = (opcode & 7) == 5, taken;

	compile(&jump, conv, opcode, 0);
	for (unsigned int n = 0; n < COUNT_OF(numbers) * COUNT_OF(numbers); n++) {
		uint64_t a = numbers[n / COUNT_OF(numbers)], b = numbers[n % COUNT_OF(numbers)];

		if (!by_reg) {
			b = (uint64_t)(int32_t)b;
			compile(&jump, conv, opcode, (int32_t)b);
		}
		CHECK(run(&jump, conv, a, b, &taken) >= 1, "%s/%s: opcode %#x: nothing is known of the branch",
		      conv->backend->name, conv->name, opcode);
		CHECK(taken == in_c(jumps[i].cond, a, b, wide), "%s/%s: opcode %#x of %#llx and %#llx: taken %d",
		      conv->backend->name, conv->name, opcode, (unsigned long long)a, (unsigned long long)b, taken);
	}
}

static void check_jumps(const struct jf_backend *backend)
{
	for (unsigned int c = 0; c < backend->convention_count; c++)
		for (unsigned int i = 0; i < COUNT_OF(jumps); i++)
			for (uint8_t form = 0; form < 4; form++)
				check_jump(backend->conventions[c], i,
					   (uint8_t)(jumps[i].code << 4 | (form & 1 ? 8 : 0) | (form & 2 ? 6 : 5)),
					   form & 1);
}

Test(branches, go_where_c_says, .timeout = 120)
{
	for (size_t i = 0; jf_backend_at(i); i++)
		check_jumps(jf_backend_at(i));
}

Test(branches, go_where_c_says_on_the_toy, .timeout = 120)
{
	check_jumps(&toy_backend);
}
