/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdarg.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

/*
 * One BPF program after the verifier on standard input, the machine code of a tree's JIT on standard output, both as
 * lines of words: docs/kernel-jit.md has the lines.
 */

/* ---- compiling, in the order of the kernel's jit_subprogs() ------------------------------------------------ */

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

/* Since 6.18; in front of that its number is an atomic operation of another class. */
#ifdef BPF_PROBE_MEM32SX
#define PROBE_MEM32SX BPF_PROBE_MEM32SX
#else
#define PROBE_MEM32SX BPF_PROBE_MEM32
#endif

static bool may_fault(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), mode = BPF_MODE(insn->code);

	if (class == BPF_STX && mode == BPF_PROBE_ATOMIC)
		return true;
	if (class == BPF_ST || class == BPF_STX)
		return mode == BPF_PROBE_MEM32;
	return class == BPF_LDX &&
	       (mode == BPF_PROBE_MEM || mode == BPF_PROBE_MEMSX || mode == BPF_PROBE_MEM32 || mode == PROBE_MEM32SX);
}

static void set_address(struct bpf_insn *insn, u64 address)
{
	insn[0].imm = (s32)(u32)address;
	insn[1].imm = (s32)(u32)(address >> 32);
}

/* Before other functions have addresses: numbers that are as long as addresses will be. */
static void set_references(struct function *function)
{
	for (u32 i = 0; i < function->count; i++) {
		struct bpf_insn *insn = &function->prog->insnsi[i];

		if (bpf_pseudo_func(insn)) {
			if (insn->imm < 0 || (u32)insn->imm >= program.function_count)
				refuse("an address of no function", function->name);
			function->names[i] = 1 + (u32)insn->imm;
			set_address(insn, core_base);
		} else if (is_call(insn)) {
			if (insn->imm < 0 || (u32)insn->imm >= program.function_count)
				refuse("a call of no function", function->name);
			insn->off = (s16)insn->imm;
			insn->imm = 1;
		}
		i += is_wide(insn);
	}
}

static void resolve_references(struct function *function)
{
	for (u32 i = 0; i < function->count; i++) {
		struct bpf_insn *insn = &function->prog->insnsi[i];

		if (function->names[i])
			set_address(insn, (u64)program.functions[function->names[i] - 1].prog->bpf_func);
		else if (is_call(insn))
			insn->imm = (s32)((u64)program.functions[insn->off].prog->bpf_func - (u64)__bpf_call_base);
		i += is_wide(insn);
	}
}

static void make_prog(struct function *function, u32 index, struct bpf_prog **all)
{
	static struct bpf_map map;
	/* One more: a JIT looks at the instruction behind the last one. */
	struct bpf_prog *prog = calloc(1, sizeof(*prog) + (function->count + 1) * sizeof(struct bpf_insn));
	struct bpf_prog_aux *aux = calloc(1, sizeof(*aux));

	function->names = calloc(function->count + 1, sizeof(*function->names));
	if (!prog || !aux || !function->names)
		refuse("no memory", NULL);
	function->prog = all[index] = prog;
	memcpy(prog->insnsi, function->insns, function->count * sizeof(struct bpf_insn));
	prog->aux = aux;
	prog->len = function->count;
	prog->jit_requested = 1;
	prog->is_func = program.function_count > 1;
	prog->type = function->classic ? BPF_PROG_TYPE_UNSPEC : BPF_PROG_TYPE_SCHED_CLS;
	aux->prog = prog;
	aux->stack_depth = function->stack;
	aux->func_idx = index;
	aux->func = program.function_count > 1 ? all : NULL;
	aux->func_cnt = program.function_count > 1 ? program.function_count : 0;
	aux->real_func_cnt = aux->func_cnt;
	aux->verifier_zext = function->zext;
	aux->tail_call_reachable = function->tail_calls;
	/* Only the address is asked for: bpf_arena_get_kern_vm_start(). */
	aux->arena = program.has_arena ? (struct bpf_arena *)&map : NULL;
#ifdef TREE_AUX_EXCEPTION_CB
	aux->exception_boundary = function->boundary;
	aux->exception_cb = function->callback;
#endif
#ifdef TREE_AUX_MAIN_PROG_AUX
	aux->main_prog_aux = all[0]->aux;
#endif
#ifdef TREE_AUX_JITS_USE_PRIV_STACK
	aux->jits_use_priv_stack = function->private_stack != 0;
	aux->priv_stack_ptr = (void *)function->private_stack;
#endif
	for (u32 i = 0; i < function->count; i++) {
		aux->num_exentries += may_fault(&prog->insnsi[i]);
		i += is_wide(&prog->insnsi[i]);
	}
	set_references(function);
}

/* Of the JIT alone: what makes a program of the lines is not the kernel's. */
static u64 jit_ns;

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

/* A JIT that does not end is named, and does not outlive who asked it. Of the processor's time: machines are busy. */
#define SECONDS 2

static const char *compiling; /* name of the function */

static void limit(time_t seconds)
{
	struct itimerval timer = {.it_value = {.tv_sec = seconds}};

	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static void compile(struct function *function)
{
	static struct bpf_verifier_env env;
	u64 start;

	core_placed = &function->placed;
	core_out_args = function->out_args;
	core_at = function->at;
	compiling = function->name;
	limit(SECONDS);
	start = now_ns();
#ifdef TREE_COMPILE_WITH_ENV
	function->prog = bpf_int_jit_compile(&env, function->prog);
#else
	(void)env;
	function->prog = bpf_int_jit_compile(function->prog);
#endif
	jit_ns += now_ns() - start;
	limit(0);
	if (!function->prog->jited || !function->placed.bytes) {
		printf("error the JIT takes no function %s\n", function->name);
		exit(1);
	}
}

static void compile_all(void)
{
	struct bpf_prog **all = calloc(program.function_count, sizeof(struct bpf_prog *));

	if (!all)
		refuse("no memory", NULL);
	for (u32 i = 0; i < program.function_count; i++)
		make_prog(&program.functions[i], i, all);
	for (u32 i = 0; i < program.function_count; i++)
		compile(&program.functions[i]);
	if (program.function_count == 1)
		return;
	for (u32 i = 0; i < program.function_count; i++)
		resolve_references(&program.functions[i]);
	for (u32 i = 0; i < program.function_count; i++)
		compile(&program.functions[i]);
}

/* What the JIT takes each time, and the first time not, which touches the memory. */
static void time_all(void)
{
	compile_all();
	printf("time");
	for (u32 i = 0; i < program.timed; i++) {
		jit_ns = 0;
		compile_all();
		printf(" %llu", jit_ns);
	}
	printf("\n");
}

/* ---- what the program is ------------------------------------------------------------------------------------ */

static void print_about(void)
{
	printf("arch %s\ntriple %s\ntree %s\nbase %llx\ncall_base %llx\n", KERNEL_JIT_ARCH, KERNEL_JIT_TRIPLE,
	       KERNEL_JIT_TREE, core_base, (u64)__bpf_call_base);
	printf("exceptions %d\nprivate_stack %d\ntail_calls_in_subprograms %d\nzext %d\n",
	       bpf_jit_supports_exceptions(), bpf_jit_supports_private_stack(), bpf_jit_supports_subprog_tailcalls(),
	       bpf_jit_needs_zext());
	printf("ax %d\n", BPF_REG_AX);
	printf("gives%s\ninlines", KERNEL_JIT_GIVES);
	for (s32 i = 0; i < __BPF_FUNC_MAX_ID; i++)
		if (bpf_jit_inlines_helper_call(i))
			printf(" %d", i);
	printf("\n");
	if (bpf_jit_supports_timed_may_goto())
		printf("timed_may_goto %lld\n", (s64)((u64)arch_bpf_timed_may_goto - (u64)__bpf_call_base));
	printf("layout array.max_entries=%zu array.ptrs=%zu prog.bpf_func=%zu\n",
	       offsetof(struct bpf_array, map.max_entries), offsetof(struct bpf_array, ptrs),
	       offsetof(struct bpf_prog, bpf_func));
	printf("relocate %s\n", KERNEL_JIT_RELOCATE);
#ifdef KERNEL_JIT_PER_CPU
	printf("per_cpu %llx\n", (u64)&KERNEL_JIT_PER_CPU);
#endif
	printf("config%s\nfeatures", KERNEL_JIT_CONFIG);
	for (size_t i = 0; i < ARRAY_SIZE(kernel_jit_feature_names); i++)
		if (kernel_jit_feature_names[i][0])
			printf(" %s%s", kernel_jit_features >> i & 1 ? "" : "-", kernel_jit_feature_names[i]);
	printf("\n");
}

/* In a signal's handler, where the C library's streams may be in use. */
static _Noreturn void fail(const char *fmt, ...)
{
	char text[512];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	_exit(write(STDOUT_FILENO, text, (size_t)length) < 0 ? 3 : 1);
}

/* What is not here stands at made-up addresses, where nothing can be read or called. */
static void fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fail("error the JIT uses what is not there, at address %llx: see the file made-up beside this program\n",
	     (u64)(uintptr_t)info->si_addr);
}

static void does_not_end(int number)
{
	(void)number;
	fail("error the JIT does not end with function %s: it has had %d seconds of the processor\n", compiling,
	     SECONDS);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	signal(SIGVTALRM, does_not_end);
	if (argc == 2 && strcmp(argv[1], "--about") == 0) {
		print_about();
		return 0;
	}
	program_read();
	if (program.timed)
		time_all();
	compile_all();
	for (u32 i = 0; i < program.function_count; i++)
		function_print(&program.functions[i]);
	printf("end\n");
	return 0;
}
