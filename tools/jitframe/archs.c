/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <jitframe/describe.h>

#include "cli.h"
#include "json.h"
#include "machine.h"
#include "platforms.h"

/* jitframe archs */

struct args {
	bool json, brief;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 'j': args->json = true; return 0;
	case 'b': args->brief = true; return 0;
	case ARGP_KEY_ARG: argp_error(state, "unexpected argument %s", arg); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const char *landing_name(const struct jf_convention *conv)
{
	switch (conv->landing) {
	case JF_LANDING_ADOPT: return "adopt";
	case JF_LANDING_RESTORE: return "restore";
	default: return "none";
	}
}

/* ---- text --------------------------------------------------------------------------------------- */

static void print_unsaved(const struct jf_convention *conv)
{
	uint8_t regs[JF_REGS_MAX];
	int count = jf_convention_unsaved(conv, regs, sizeof(regs));

	if (count < 0) {
		puts("      no boundary: exceptions are not supported");
		return;
	}
	if (count == 0) {
		puts("      R3 holds: a boundary saves every callee-saved register");
		return;
	}
	fputs("      R3: not saved:", stdout);
	for (int i = 0; i < count; i++)
		printf(" %s", conv->backend->regs[regs[i]].name);
	putchar('\n');
}

static void print_convention(const struct jf_convention *conv)
{
	printf("  %s/%s: %s\n      supports:", conv->backend->name, conv->name, conv->summary);
	for (unsigned int bit = 0; bit < 32; bit++)
		if (conv->caps & UINT32_C(1) << bit)
			printf(" %s", jf_cap_name(UINT32_C(1) << bit));
	printf("\n      BPF stack up to %u bytes, SP aligned to %u at calls, %u bits of R0 returned, "
	       "callback: %s\n",
	       conv->bpf_stack_max_bytes, conv->frame_align, conv->result_bits, landing_name(conv));
	print_unsaved(conv);
}

static void print_parts(const struct jf_backend *backend)
{
	printf("  parts:%s%s%s%s\n", backend->decode ? " decoder" : "", backend->orc ? " ORC" : "",
	       backend->signal_frame ? " signal frames" : "", backend->native ? " native stubs" : "");
}

static int print_text(void)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		char machine[MACHINE_TEXT_MAX];

		printf("%s%s (%s, %s)%s\n", i ? "\n" : "", backend->name,
		       machine_text(backend->elf_machine, machine, sizeof(machine)), backend->llvm_triple,
		       backend == jf_backend_host() ? ", this processor" : "");
		print_parts(backend);
		for (unsigned int k = 0; k < backend->convention_count; k++)
			print_convention(backend->conventions[k]);
	}
	return 0;
}

/* A line for each convention, as README.md quotes them. */
static int print_brief(void)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < backend->convention_count; k++) {
			const struct jf_convention *conv = backend->conventions[k];
			uint8_t regs[JF_REGS_MAX];
			int count = jf_convention_unsaved(conv, regs, sizeof(regs));

			printf("%s/%s: %s", backend->name, conv->name, conv->summary);
			for (int n = 0; n < count; n++)
				printf("%s%s", n ? " " : "; a throw may lose ", backend->regs[regs[n]].name);
			putchar('\n');
		}
	}
	return 0;
}

/* ---- JSON --------------------------------------------------------------------------------------- */

static json_t *json_unsaved(const struct jf_convention *conv)
{
	uint8_t regs[JF_REGS_MAX];
	int count = jf_convention_unsaved(conv, regs, sizeof(regs));
	json_t *list;

	if (count < 0)
		return json_null();
	list = json_array();
	for (int i = 0; i < count; i++)
		json_array_append_new(list, json_string(conv->backend->regs[regs[i]].name));
	return list;
}

static json_t *json_registers(const struct jf_convention *conv)
{
	json_t *registers = json_object();

	for (unsigned int i = 0; i < JF_BPF_REG__COUNT; i++) {
		const struct jf_backend *backend = conv->backend;
		char name[8];

		if (conv->bpf_reg[i] >= backend->reg_count)
			continue;
		snprintf(name, sizeof(name), i == JF_BPF_AX ? "ax" : "r%u", i);
		json_object_set_new(registers, name, json_string(backend->regs[conv->bpf_reg[i]].name));
	}
	return registers;
}

static json_t *json_convention(const struct jf_convention *conv)
{
	struct jf_slot record[JF_RECORD__COUNT] = {0};
	json_t *caps = json_array();

	if (jf_frame_record(conv, record) != JF_OK)
		return NULL;
	for (unsigned int bit = 0; bit < 32; bit++)
		if (conv->caps & UINT32_C(1) << bit)
			json_array_append_new(caps, json_string(jf_cap_name(UINT32_C(1) << bit)));
	return json_pack("{s:s, s:s, s:o, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "name", conv->name, "summary",
			 conv->summary, "supports", caps, "callback", landing_name(conv), "bpf_stack_max_bytes",
			 (int)conv->bpf_stack_max_bytes, "sp_align", (int)conv->frame_align, "result_bits",
			 (int)conv->result_bits, "ra_off_from_cfa", (int)record[JF_RECORD_RETURN].off_from_cfa,
			 "prev_fp_off_from_cfa", (int)record[JF_RECORD_FP].off_from_cfa, "not_saved",
			 json_unsaved(conv), "bpf_registers", json_registers(conv));
}

/* All of the table: `hw` and `dwarf` are the numbers in instructions and in unwind tables. */
static json_t *json_backend_registers(const struct jf_backend *backend)
{
	static const char *const classes[] = {"integer", "floating_point", "control"};
	json_t *list = json_array();

	for (unsigned int i = 0; i < backend->reg_count; i++) {
		const struct jf_reg *reg = &backend->regs[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:i, s:b}", "name", reg->name, "class",
						      classes[reg->cls], "hw", (int)reg->hw, "dwarf", (int)reg->dw,
						      "bytes", (int)reg->size_bytes, "callee_saved",
						      (reg->flags & JF_REG_CALLEE_SAVED) != 0));
	}
	return list;
}

/* What holds at a function's first instruction. */
static json_t *json_entry(const struct jf_backend *backend)
{
	return json_pack("{s:s, s:s, s:b, s:i, s:i}", "sp", backend->regs[backend->sp].name, "ra",
			 backend->regs[backend->ra].name, "ra_pushed", backend->ra_pushed, "cfa_sp_off",
			 (int)backend->cfa_sp_off_at_entry, "red_zone_bytes", (int)backend->red_zone_bytes);
}

/* What toolchains and distributions call the architecture. */
static json_t *json_platform(const struct jf_backend *backend)
{
	json_t *platform = json_object();

	for (size_t i = 0; i < sizeof(platform_lines) / sizeof(platform_lines[0]); i++)
		if (!strcmp(platform_lines[i].arch, backend->name))
			json_object_set_new(platform, platform_lines[i].key, json_string(platform_lines[i].value));
	return platform;
}

static json_t *json_arch(const struct jf_backend *backend)
{
	json_t *conventions = json_array();

	for (unsigned int k = 0; k < backend->convention_count; k++)
		json_array_append_new(conventions, json_convention(backend->conventions[k]));
	return json_pack("{s:s, s:i, s:s, s:b, s:b, s:b, s:b, s:b, s:i, s:o, s:o, s:o, s:o}", "name", backend->name,
			 "elf_machine", (int)backend->elf_machine, "llvm_triple", backend->llvm_triple, "host",
			 backend == jf_backend_host(), "decoder", backend->decode != NULL, "orc", backend->orc != NULL,
			 "signal_frame", backend->signal_frame != NULL, "native", backend->native != NULL, "insn_align",
			 (int)backend->insn_align, "registers", json_backend_registers(backend), "entry",
			 json_entry(backend), "platform", json_platform(backend), "conventions", conventions);
}

static int print_json(void)
{
	const struct jf_backend *backend;
	json_t *archs = json_array();

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		json_array_append_new(archs, json_arch(backend));
	return json_print(json_pack("{s:o}", "archs", archs));
}

int cmd_archs(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"json", 'j', NULL, 0, "print JSON", 0},
		{"brief", 'b', NULL, 0, "print a line for each convention", 0},
		{0},
	};
	static const struct argp argp = {
		options, parse,
		NULL,    "Lists the architectures that are built in, their conventions, and what each supports.",
		NULL,    NULL,
		NULL,
	};
	struct args args = {0};

	cli_parse(&argp, argc, argv, &args);
	return args.json ? print_json() : args.brief ? print_brief() : print_text();
}
