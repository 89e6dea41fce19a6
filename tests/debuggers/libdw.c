/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * libdw's unwinder on a captured stack, with the ELF file that debuggers are told of: frames of BPF code have names and
 * lines, and the unwinder comes through them to the C code behind. Prints TAP.
 */

#include "base/bytes.h"

#include <elfutils/libdwfl.h>
#include <jitframe/jitframe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/jit_interface.h"

/* ---- the stack, and what the registers held in the innermost frame of BPF code ------------------------------ */

#define STACK_BYTES 65536

static struct {
	uint8_t stack[STACK_BYTES]; /* from sp on */
	size_t stack_bytes;
	uint64_t sp, pc;
	uint64_t regs[JF_REGS_MAX]; /* by DWARF's numbers */
	bool known[JF_REGS_MAX];
} captured;

static bool to_bpf_frame(struct jf_walk *walk)
{
	const struct jf_walk_opts opts = {.size = sizeof(opts)};

	if (jf_walk_here(walk, &opts) != JF_OK)
		return false;
	while (!jf_walk_at(walk)->range)
		if (jf_walk_step(walk) != JF_OK)
			return false;
	return true;
}

/* From sp up to the end of this thread's stack, or as much as there is room for. */
static void capture_stack(void)
{
	pthread_attr_t attr;
	size_t size = 0;
	void *low = NULL;
	uint64_t bytes;

	if (pthread_getattr_np(pthread_self(), &attr))
		return;
	pthread_attr_getstack(&attr, &low, &size);
	pthread_attr_destroy(&attr);
	bytes = (uintptr_t)low + size - captured.sp;
	captured.stack_bytes = bytes < STACK_BYTES ? bytes : STACK_BYTES;
	memcpy(captured.stack, (const void *)(uintptr_t)captured.sp, captured.stack_bytes);
}

/* The helper that the innermost function calls. */
static uint64_t capture(uint64_t x)
{
	const struct jf_backend *backend = jf_backend_host();
	struct jf_walk walk;

	if (!to_bpf_frame(&walk))
		return 0;
	captured.pc = jf_walk_at(&walk)->pc;
	captured.sp = jf_walk_sp(&walk);
	capture_stack();
	for (unsigned int reg = 0; reg < backend->reg_count; reg++) {
		unsigned int number = backend->regs[reg].dw;
		uint64_t value;

		if (backend->regs[reg].cls != JF_REG_INT || number >= JF_REGS_MAX ||
		    !jf_walk_reg(&walk, (uint8_t)reg, &value))
			continue;
		captured.regs[number] = value;
		captured.known[number] = true;
	}
	captured.regs[backend->regs[backend->sp].dw] = captured.sp;
	captured.known[backend->regs[backend->sp].dw] = true;
	jf_walk_end(&walk);
	return x;
}

/* ---- the program ------------------------------------------------------------------------------------------- */

static const struct jf_insn of_outer[] = {{0x85, 0x10, 0, 1}, {0x07, 0x00, 0, 1}, {0x95, 0, 0, 0}};
static const struct jf_insn of_inner[] = {{0xb7, 1, 0, 41}, {0x85, 0, 0, 0}, {0x07, 0x00, 0, 1}, {0x95, 0, 0, 0}};
static const struct jf_function functions[] = {{"outer", of_outer, 3}, {"inner", of_inner, 4}};
static const struct jf_source_line lines_of_outer[] = {{.insn = 0, .line = 10, .file = "/src/a.lang"},
						       {.insn = 1, .line = 11, .file = "/src/a.lang"}};
static const struct jf_source_line lines_of_inner[] = {{.insn = 0, .line = 20, .file = "/src/a.lang"},
						       {.insn = 1, .line = 21, .file = "/src/a.lang"},
						       {.insn = 2, .line = 22, .file = "/src/a.lang"}};
static const struct jf_source_lines tables[] = {{lines_of_outer, 2}, {lines_of_inner, 3}};

/* returns: what it returned; 0 when it did not run. */
static uint64_t run_program(struct jf_loaded **loaded)
{
	const struct jf_import helper = {.name = "capture", .address = (uintptr_t)capture};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = functions,
					   .function_count = 2,
					   .callback = -1,
					   .helpers = &helper,
					   .helper_count = 1,
					   .lines = tables};
	const struct jf_backend *host = jf_backend_host();
	struct jf_error error = {0};

	for (unsigned int i = 0; i < host->convention_count; i++) {
		if (!jf_convention_supports(host->conventions[i], JF_CAP_RUN | JF_CAP_USER_BASE))
			continue;
		if (jf_load(host->conventions[i], &program, NULL, NULL, loaded, &error) == JF_OK)
			return jf_run(*loaded, 0);
		printf("# %s: %s\n", error.where, error.text);
	}
	return 0;
}

/* ---- libdw's side ------------------------------------------------------------------------------------------ */

/* The only one. */
static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	(void)arg;
	if (*thread_arg)
		return 0;
	*thread_arg = &captured;
	return getpid();
}

static bool read_stack(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *arg)
{
	(void)dwfl;
	(void)arg;
	if (address < captured.sp || address - captured.sp + sizeof(*result) > captured.stack_bytes)
		return false;
	memcpy(result, captured.stack + (address - captured.sp), sizeof(*result));
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	(void)arg;
	for (int i = 0; i < JF_REGS_MAX; i++) {
		Dwarf_Word value = captured.regs[i];

		if (captured.known[i] && !dwfl_thread_state_registers(thread, i, 1, &value))
			return false;
	}
	dwfl_thread_state_register_pc(thread, captured.pc);
	return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread, .memory_read = read_stack, .set_initial_registers = set_registers};

/* The frames, as text: "inner a.lang:21 outer a.lang:10 jf_native_enter ...". */
static char found[1024];

static int take_frame(Dwfl_Frame *frame, void *arg)
{
	Dwfl *dwfl = dwfl_thread_dwfl(dwfl_frame_thread(frame));
	size_t used = strlen(found);
	Dwfl_Module *module;
	Dwarf_Addr pc;
	const char *name = NULL, *file = NULL;
	int line = 0;

	(void)arg;
	if (!dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	pc--; /* all of them are return addresses, the first one too */
	module = dwfl_addrmodule(dwfl, pc);
	if (module) {
		Dwfl_Line *source = dwfl_module_getsrc(module, pc);

		name = dwfl_module_addrname(module, pc);
		file = source ? dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL) : NULL;
	}
	file = file && strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	snprintf(found + used, sizeof(found) - used, "%s %s:%d ", name ? name : "?", file ? file : "?", line);
	return DWARF_CB_OK;
}

/* A file without a name for bytes in memory, as libdw wants one. */
static int file_of(const struct jit_code_entry *entry)
{
	int fd = memfd_create("jit", 0);

	return fd >= 0 && write(fd, entry->file, entry->file_bytes) == (ssize_t)entry->file_bytes ? fd : -1;
}

static bool report(Dwfl *dwfl)
{
	bool done;

	dwfl_report_begin(dwfl);
	done = dwfl_linux_proc_report(dwfl, getpid()) == 0;
	for (const struct jit_code_entry *e = __jit_debug_descriptor.first; e; e = e->next)
		done &= dwfl_report_elf(dwfl, "jit", "jit", file_of(e), 0, true) != NULL;
	return dwfl_report_end(dwfl, NULL, NULL) == 0 && done;
}

static const char *unwind(void)
{
	static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
						 .find_debuginfo = dwfl_standard_find_debuginfo};
	Dwfl *dwfl = dwfl_begin(&callbacks);

	/* The walk ends where the captured part of the stack does, which is an error to libdw. */
	if (dwfl && report(dwfl) && dwfl_attach_state(dwfl, NULL, getpid(), &thread_callbacks, NULL))
		(void)dwfl_getthread_frames(dwfl, getpid(), take_frame, NULL);
	if (!found[0])
		snprintf(found, sizeof(found), "libdw: %s", dwfl_errmsg(-1));
	dwfl_end(dwfl);
	return found;
}

int main(void)
{
	struct jf_loaded *loaded = NULL;
	const char *wanted = "inner a.lang:21 outer a.lang:10 ", *behind = "main ";
	bool good;

	if (jf_publish_start(JF_PUBLISH_GDB, NULL) != JF_OK || run_program(&loaded) != 43) {
		puts("1..0 # SKIP no program runs on this host");
		return 0;
	}
	unwind();
	jf_unload(loaded);
	good = strncmp(found, wanted, strlen(wanted)) == 0 && strstr(found, behind);
	printf("1..1\n%sok 1 - libdw_unwinds_through_bpf_code\n# %s\n", good ? "" : "not ", found);
	return 0;
}
