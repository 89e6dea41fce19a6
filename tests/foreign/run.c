/* SPDX-License-Identifier: BSD-2-Clause */

/* Functions with bodies of their own, run on this host: throws, landings, walks, exits, lazy rows. TAP. */

#include "memory.h"
#include "tap.h"

#include <signal.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static volatile uint64_t unknown;

/* ---- functions ------------------------------------------------------------------------------------------ */

struct function {
	struct jf_frame frame;
	struct jf_code code;
	struct jf_body body;
	struct jf_row rows[64];
	struct jf_range range;
};

static const struct jf_convention *conv;

static bool begin(struct function *f, const struct jf_frame_spec *spec)
{
	uint8_t *bytes = memory_room();

	if (!bytes || jf_frame_solve(conv, spec, &f->frame, NULL) != JF_OK)
		return false;
	jf_code_init(&f->code, bytes, MEMORY_BYTES, (uintptr_t)bytes, f->rows, COUNT(f->rows));
	jf_function_begin(&f->code, &f->frame, NULL);
	jf_body_init(&f->body, &f->code, NULL);
	return true;
}

/* returns: the function's address; 0: something failed. */
static uint64_t end(struct function *f, const char *name, uint64_t callback)
{
	struct jf_error error;

	if (jf_function_end(&f->code, &error) != JF_OK ||
	    jf_range_from(&f->code, name, callback, &f->range, &error) != JF_OK ||
	    jf_code_map_add(&f->range, &error) != JF_OK) {
		printf("# %s: %s\n", error.where, error.text);
		return 0;
	}
	return memory_run(f->code.bytes, f->code.size) ? f->range.start : 0;
}

static void op(struct function *f, enum jf_alu code, uint8_t dst, uint8_t src)
{
	jf_body_op(&f->body, conv->backend->body.alu,
		   &(struct jf_op){.code = (uint8_t)code, .is64 = true, .dst = dst, .src = src});
}

static void op_imm(struct function *f, enum jf_alu code, uint8_t dst, int32_t imm)
{
	jf_body_op(&f->body, conv->backend->body.alu,
		   &(struct jf_op){.code = (uint8_t)code, .is64 = true, .is_imm = true, .dst = dst, .imm = imm});
}

static void call(struct function *f, uint64_t address)
{
	jf_body_call(&f->body, &(struct jf_call){.kind = JF_CALL_C, .sixth = JF_REG_NONE, .address = address});
}

static void store(struct function *f, uint8_t src, int16_t off)
{
	jf_body_op(&f->body, conv->backend->body.store,
		   &(struct jf_op){.bytes = 8, .dst = JF_BPF_FP, .src = src, .off = off});
}

static void load(struct function *f, uint8_t dst, int16_t off)
{
	jf_body_op(&f->body, conv->backend->body.load,
		   &(struct jf_op){.bytes = 8, .dst = dst, .src = JF_BPF_FP, .off = off});
}

/* C calls by a pointer. */
static uint64_t run(uint64_t address, uint64_t arg)
{
	return ((uint64_t(*)(uint64_t))(uintptr_t)address)(arg) + unknown;
}

/* f(x) = callee(x + add) + x, with x in R6, R7 and in the stack meanwhile. */
static uint64_t make_caller(struct function *f, const char *name, uint32_t role, uint32_t stack, int32_t add,
			    uint64_t callee, uint64_t callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = role;
	spec.bpf_stack_bytes = stack;
	spec.bpf_regs_used = 1 << 6 | 1 << 7;
	if (!begin(f, &spec))
		return 0;
	op(f, JF_ALU_MOV, 6, 1);
	op(f, JF_ALU_MOV, 7, 1);
	if (stack)
		store(f, 1, -8);
	op_imm(f, JF_ALU_ADD, 1, add);
	call(f, callee);
	if (stack)
		load(f, 7, -8);
	op(f, JF_ALU_SUB, 7, 6); /* 0 */
	op(f, JF_ALU_ADD, 0, 7);
	op(f, JF_ALU_ADD, 0, 6);
	jf_function_return(&f->code);
	return end(f, name, callback);
}

static void remove_all(struct function *functions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (jf_code_map_remove(&functions[i].range) != JF_OK)
			printf("# %s was not registered\n", functions[i].range.name);
}

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
	if (!begin(f, &spec))
		return 0;
	op(f, JF_ALU_MOV, 0, 1);
	op_imm(f, JF_ALU_ADD, 0, 1000);
	jf_function_return(&f->code);
	return end(f, "callback", 0);
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

static uint64_t to_call;

static uint64_t run_it(void *arg)
{
	return run(to_call, *(uint64_t *)arg);
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
	if (!begin(f, &spec))
		return 0;
	jf_body_init(&f->body, &f->code, &places);
	backend->build->add(&f->code, backend->sp, backend->sp, -512);
	call(f, callee);
	jf_body_op(&f->body, backend->body.jump,
		   &(struct jf_op){.code = JF_COND_LT, .is64 = true, .is_imm = true, .imm = 10, .dst = 0, .target = 0});
	op_imm(f, JF_ALU_ADD, 0, 100);
	jf_function_restore_sp(&f->code);
	jf_function_return(&f->code);
	jf_body_place(&f->body, 0);
	jf_body_end(&f->body);
	backend->build->add(&f->code, backend->sp, backend->sp, -64);
	jf_function_restore_sp(&f->code);
	jf_function_return(&f->code);
	return end(f, "alloca", 0);
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
	if (!begin(&f[0], &spec))
		return false;
	op(&f[0], JF_ALU_MOV, 6, 1);
	op_imm(&f[0], JF_ALU_ADD, 1, 6);
	jf_function_tail_jump(&f[0].code, (uintptr_t)half);
	end(&f[0], "jumper", 0);
	good = make_caller(&f[1], "caller", JF_ROLE_SUBPROGRAM, 0, 0, f[0].range.start, 0) &&
	       run(f[1].range.start, 14) == 24;
	remove_all(f, COUNT(f));
	return good;
}

/* ---- walks and lazy rows ---------------------------------------------------------------------------------- */

static char trace[128];

static uint64_t walk_it(uint64_t arg)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);

	trace[0] = '\0';
	for (unsigned int i = 0; status == JF_OK && i < 32; i++) {
		const struct jf_walk_frame *frame = jf_walk_at(&walk);

		if (frame->range && strlen(trace) + strlen(frame->name) + 2 < sizeof(trace)) {
			strcat(trace, frame->name);
			strcat(trace, " ");
		}
		status = jf_walk_step(&walk);
	}
	if (status != JF_OK && status != JF_END)
		strcat(trace, jf_status_name(status));
	jf_walk_end(&walk);
	return arg;
}

static uint64_t walk_in_handler(uint64_t arg)
{
	return (uint64_t)raise(SIGUSR1) + arg;
}

static void on_signal(int signal)
{
	(void)signal;
	walk_it(0);
}

static bool walks_show_it(void)
{
	struct function f[2] = {{.code = {.size = 0}}};
	uint64_t middle = make_caller(&f[0], "middle", JF_ROLE_SUBPROGRAM, 0, 1, (uintptr_t)walk_it, 0);
	uint64_t outer = make_caller(&f[1], "outer", JF_ROLE_SUBPROGRAM, 128, 10, middle, 0);
	bool good = middle && outer && run(outer, 3) == 14 + 13 + 3 && !strncmp(trace, "middle outer ", 13);

	remove_all(f, COUNT(f));
	return good;
}

struct lazy {
	struct jf_range range;
	struct jf_lazy_rows rows;
	struct jf_range_rows answer;
	unsigned int asked;
	bool refuses;
};

static const struct jf_range_rows *ask(void *arg, const struct jf_range *range)
{
	struct lazy *lazy = arg;

	__atomic_add_fetch(&lazy->asked, 1, __ATOMIC_RELAXED);
	return lazy->refuses || range != &lazy->range ? NULL : &lazy->answer;
}

/* The same function, registered once more without its rows. */
static bool make_lazy(struct lazy *lazy, const struct function *f)
{
	if (jf_code_map_remove(&f->range) != JF_OK)
		return false;
	lazy->answer = (struct jf_range_rows){f->range.rows, f->range.row_count, f->range.slots, f->range.slot_count};
	lazy->rows = (struct jf_lazy_rows){ask, lazy, NULL};
	lazy->range = f->range;
	lazy->range.rows = NULL;
	lazy->range.row_count = 0;
	lazy->range.slots = NULL;
	lazy->range.slot_count = 0;
	lazy->range.lazy = &lazy->rows;
	return jf_code_map_add(&lazy->range, NULL) == JF_OK;
}

static bool rows_are_asked_for_once(void)
{
	struct function f = {0};
	struct lazy lazy = {.refuses = true};
	uint64_t arg = 6, value = 0;
	bool good;

	to_call = make_caller(&f, "lazy", JF_ROLE_SUBPROGRAM, 0, 1, (uintptr_t)walk_in_handler, 0);
	good = to_call && make_lazy(&lazy, &f) && !lazy.asked && signal(SIGUSR1, on_signal) != SIG_ERR;
	good = good && run(to_call, 5) == 11 && lazy.asked && !strcmp(trace, "JF_E_NO_ROW");
	lazy.refuses = false;
	lazy.asked = 0;
	for (unsigned int i = 0; i < 3; i++)
		good = good && run(to_call, 5) == 11 && lazy.asked == 1 && strstr(trace, "lazy ") &&
		       !strstr(trace, "JF_E");
	good = good && jf_try(run_it, &arg, &value) == JF_OK && value == 13 && strstr(trace, "lazy try");
	good &= jf_code_map_remove(&lazy.range) == JF_OK;
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

static const struct tap_test tests[] = {
	TEST(calls_c),
	TEST(lands_in_a_boundary),
	TEST(is_caught_by_c),
	TEST(returns_from_two_places_with_sp_moved),
	TEST(throws_through_moved_sp),
	TEST(leaves_by_a_tail_jump),
	TEST(walks_show_it),
	TEST(rows_are_asked_for_once),
	TEST(runs_with_a_convention_of_its_own),
};

int main(void)
{
	char target[64];

	snprintf(target, sizeof(target), "%s/user", jf_backend_host() ? jf_backend_host()->name : "");
	if (jf_backend_host() && (jf_convention_find(target, &conv, NULL) != JF_OK || jf_thread_init() != JF_OK ||
				  jf_cfi_load_objects(NULL) != JF_OK))
		return 1;
	return tap_run(tests, COUNT(tests));
}
