/* SPDX-License-Identifier: BSD-2-Clause */
#include "lazy.h"

#include <stdio.h>
#include <sys/mman.h>

#include "programs.h"

#define CODE_BYTES 4096
#define ROWS_MAX   32

static uint8_t *bytes;
static struct jf_row rows[ROWS_MAX];
static struct jf_frame frame;
static struct jf_range_rows answer;
static struct jf_lazy_rows lazy;
static struct jf_range range;

static const struct jf_range_rows *ask(void *arg, const struct jf_range *about)
{
	(void)about;
	return arg;
}

/* In the convention whose functions C calls and is called by, without stubs between. */
static bool emit(void)
{
	const struct jf_call call = {.kind = JF_CALL_C, .sixth = JF_REG_NONE, .address = (uintptr_t)programs_run};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	const struct jf_convention *conv;
	struct jf_body body;
	struct jf_code code;
	char target[64];

	snprintf(target, sizeof(target), "%s/user", jf_backend_host()->name);
	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 16;
	if (jf_convention_find(target, &conv, NULL) != JF_OK || jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK)
		return false;
	jf_code_init(&code, bytes, CODE_BYTES, (uintptr_t)bytes, rows, ROWS_MAX);
	jf_function_begin(&code, &frame, NULL);
	jf_body_init(&body, &code, NULL);
	jf_body_call(&body, &call);
	jf_function_return(&code);
	return jf_function_end(&code, NULL) == JF_OK && jf_range_from(&code, "lazy", 0, &range, NULL) == JF_OK;
}

bool lazy_add(void)
{
	bytes = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED || !emit() || mprotect(bytes, CODE_BYTES, PROT_READ | PROT_EXEC))
		return false;
	__builtin___clear_cache((char *)bytes, (char *)bytes + CODE_BYTES);
	answer = (struct jf_range_rows){range.rows, range.row_count, range.slots, range.slot_count};
	lazy = (struct jf_lazy_rows){.ask = ask, .arg = &answer};
	range.lazy = &lazy;
	range.rows = NULL;
	range.row_count = 0;
	range.slots = NULL;
	range.slot_count = 0;
	return jf_code_map_add(&range, NULL) == JF_OK;
}

bool lazy_remove(void)
{
	return jf_code_map_remove(&range) == JF_OK && !munmap(bytes, CODE_BYTES);
}

uint64_t lazy_run(uint64_t arg)
{
	return ((uint64_t(*)(uint64_t))(uintptr_t)bytes)(arg);
}
