/* SPDX-License-Identifier: BSD-2-Clause */

/* Functions with bodies of their own, run on this host: throws, landings, exits. TAP. */

#include "function.h"
#include "tap.h"

static volatile uint64_t unknown;

/* ---- calls and throws ----------------------------------------------------------------------------------- */

static uint64_t throw_it(uint64_t cookie)
{
	return (uint64_t)jf_throw(cookie) + unknown;
}

static uint64_t half(uint64_t x)
{
	return x / 2 + unknown;
}

static bool calls_c(void)
{
	struct function f = {0};
	uint64_t address = make_caller(&f, "f", JF_ROLE_SUBPROGRAM, 32, 4, (uintptr_t)half, 0);
	bool good = address && run(address, 20) == 32;

	remove_all(&f, 1);
	return good;
}

/* A callback that gives the cookie + 1000. */
static uint64_t make_callback(struct function *f)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_CALLBACK;
	spec.bpf_stack_bytes = 16;
	if (!function_begin(f, &spec))
		return 0;
	function_op(f, JF_ALU_MOV, 0, 1);
	function_op_imm(f, JF_ALU_ADD, 0, 1000);
	jf_function_return(&f->code);
	return function_end(f, "callback", 0);
}

/* boundary -> middle -> C, which throws: and every register that a callee keeps is kept. */
static bool lands_in_a_boundary(void)
{
	static struct jf_regs in, out;
	const struct jf_backend *host = jf_backend_host();
	struct function f[3] = {{.code = {.size = 0}}};
	uint64_t callback = make_callback(&f[0]);
	uint64_t middle = make_caller(&f[1], "middle", JF_ROLE_SUBPROGRAM, 4096, 1, (uintptr_t)throw_it, 0);
	uint64_t outer = make_caller(&f[2], "outer", JF_ROLE_BOUNDARY, 64, 10, middle, callback);
	bool good = callback && middle && outer && run(outer, 5) == 1016;

	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		in.value[reg] = host->regs[reg].control ? host->regs[reg].control->other : 0x101010101010101 * reg;
	good = good && host->native->call_checked(outer, 5, 0, &in, &out) == 1016;
	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		const struct jf_reg *r = &host->regs[reg];
		uint64_t mask = r->control ? r->control->kept : UINT64_MAX >> (64 - 8 * r->size_bytes);

		if (r->flags & JF_REG_CALLEE_SAVED)
			good &= !((in.value[reg] ^ out.value[reg]) & mask);
	}
	remove_all(f, COUNT(f));
	return good;
}

/* C -> jf_try() -> outer -> middle -> C */
static bool is_caught_by_c(void)
{
	struct function f[2] = {{.code = {.size = 0}}};
	uint64_t middle = make_caller(&f[0], "middle", JF_ROLE_SUBPROGRAM, 0, 1, (uintptr_t)throw_it, 0);
	uint64_t arg = 3, value = 0;
	bool good;

	to_call = make_caller(&f[1], "outer", JF_ROLE_SUBPROGRAM, 32, 10, middle, 0);
	good = middle && to_call && jf_try(run_it, &arg, &value) == JF_CAUGHT && value == 14;
	remove_all(f, COUNT(f));
	return good;
}

/* ---- bodies that move SP, and exits ----------------------------------------------------------------------- */

/* f(x): takes x * 16 bytes of stack, calls, and returns from two places. */
static uint64_t make_alloca(struct function *f, uint64_t callee)
{
	const struct jf_backend *backend = conv->backend;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_pending pending[1];
	uint32_t off[1];
	struct jf_places places = {off, 1, pending, 1, 0};

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 16;
	if (!function_begin(f, &spec))
		return 0;
	jf_body_init(&f->body, &f->code, &places);
	backend->build->add(&f->code, backend->sp, backend->sp, -512);
	function_call(f, callee);
	jf_body_op(&f->body, backend->body.jump,
		   &(struct jf_op){.code = JF_COND_LT, .is64 = true, .is_imm = true, .imm = 10, .dst = 0, .target = 0});
	function_op_imm(f, JF_ALU_ADD, 0, 100);
	jf_function_restore_sp(&f->code);
	jf_function_return(&f->code);
	jf_body_place(&f->body, 0);
	jf_body_end(&f->body);
	backend->build->add(&f->code, backend->sp, backend->sp, -64);
	jf_function_restore_sp(&f->code);
	jf_function_return(&f->code);
	return function_end(f, "alloca", 0);
}

static bool returns_from_two_places_with_sp_moved(void)
{
	struct function f = {0};
	uint64_t address = make_alloca(&f, (uintptr_t)half);
	bool good = address && run(address, 8) == 4 && run(address, 40) == 120;

	remove_all(&f, 1);
	return good;
}

/* Throws go through a frame whose SP was moved. */
static bool throws_through_moved_sp(void)
{
	struct function f = {0};
	uint64_t arg = 77, value = 0;
	bool good;

	to_call = make_alloca(&f, (uintptr_t)throw_it);
	good = to_call && jf_try(run_it, &arg, &value) == JF_CAUGHT && value == 77;
	remove_all(&f, 1);
	return good;
}

static bool leaves_by_a_tail_jump(void)
{
	struct function f[2] = {{.code = {.size = 0}}};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	bool good;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_regs_used = 1 << 6;
	spec.bpf_stack_bytes = 64;
	if (!function_begin(&f[0], &spec))
		return false;
	function_op(&f[0], JF_ALU_MOV, 6, 1);
	function_op_imm(&f[0], JF_ALU_ADD, 1, 6);
	jf_function_tail_jump(&f[0].code, (uintptr_t)half);
	function_end(&f[0], "jumper", 0);
	good = make_caller(&f[1], "caller", JF_ROLE_SUBPROGRAM, 0, 0, f[0].range.start, 0) &&
	       run(f[1].range.start, 14) == 24;
	remove_all(f, COUNT(f));
	return good;
}

/* ---- a convention of one's own ----------------------------------------------------------------------------- */

static struct jf_slot_rule own_rules[8][32];
static struct jf_area own_areas[8];
static struct jf_convention own;

/*
 * The user convention with other registers for R6 to R9, with every register saved that the body may use, and with
 * frames of any size.
 */
static bool make_convention(const struct jf_convention *user)
{
	static const uint8_t order[] = {7, 6, 9, 8};
	struct jf_finding finding;

	own = *user;
	own.name = "own";
	own.bpf_stack_max_bytes = 1 << 20;
	own.areas = own_areas;
	for (unsigned int i = 0; i < COUNT(order); i++)
		own.bpf_reg[6 + i] = user->bpf_reg[order[i]];
	for (unsigned int i = 0; i < user->area_count; i++) {
		own_areas[i] = user->areas[i];
		own_areas[i].rules = own_rules[i];
		for (unsigned int k = 0; k < user->areas[i].rule_count; k++) {
			own_rules[i][k] = user->areas[i].rules[k];
			if (own_rules[i][k].kind == JF_SLOT_SAVE && own_rules[i][k].when & JF_WHEN_USED)
				own_rules[i][k].when = JF_WHEN_ALWAYS;
		}
	}
	if (jf_convention_check(&own, &finding, 1) == 0)
		return true;
	printf("# %s\n", finding.text);
	return false;
}

static bool runs_with_a_convention_of_its_own(void)
{
	const struct jf_convention *user = conv;
	struct function f[3] = {{.code = {.size = 0}}};
	uint64_t callback, middle, outer;
	bool good = make_convention(user);

	conv = &own;
	callback = make_callback(&f[0]);
	middle = make_caller(&f[1], "middle", JF_ROLE_SUBPROGRAM, 100000, 1, (uintptr_t)throw_it, 0);
	outer = make_caller(&f[2], "outer", JF_ROLE_BOUNDARY, 70000, 10, middle, callback);
	good = good && callback && middle && outer && run(outer, 5) == 1016;
	for (unsigned int bpf = 6; bpf < 10; bpf++)
		good &= jf_frame_slot(&f[1].frame, JF_SLOT_SAVE, own.bpf_reg[bpf]) >= 0;
	remove_all(f, COUNT(f));
	conv = user;
	return good;
}

/* All of this with landing pads and signed return addresses. */
static bool is_the_same_when_hardened(void)
{
	bool good;

	is_hardened = true;
	good = calls_c() && lands_in_a_boundary() && is_caught_by_c() && returns_from_two_places_with_sp_moved() &&
	       throws_through_moved_sp() && leaves_by_a_tail_jump() && runs_with_a_convention_of_its_own();
	is_hardened = false;
	return good;
}

static const struct tap_test tests[] = {
	TEST(calls_c),
	TEST(lands_in_a_boundary),
	TEST(is_caught_by_c),
	TEST(returns_from_two_places_with_sp_moved),
	TEST(throws_through_moved_sp),
	TEST(leaves_by_a_tail_jump),
	TEST(runs_with_a_convention_of_its_own),
	TEST(is_the_same_when_hardened),
};

int main(void)
{
	return find_convention() ? tap_run(tests, COUNT(tests)) : 1;
}
