/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/describe.h>

#include "cli.h"
#include "json.h"

/* jitframe frame */

struct args {
	struct spec_args spec;
	bool json;
	const char *svg;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->spec; return 0;
	case 'j': args->json = true; return 0;
	case 's': args->svg = arg; return 0;
	case ARGP_KEY_END:
		if (cli_is_stdout(args->svg) && args->json)
			argp_error(state, "--json and --svg - would both go to standard output");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int print_text(const struct jf_frame *frame)
{
	int length = jf_frame_text(frame, NULL, 0);
	char *text = malloc((size_t)length + 1);

	if (!text)
		return cli_failed("no memory");
	jf_frame_text(frame, text, (size_t)length + 1);
	fputs(text, stdout);
	free(text);
	return 0;
}

static json_t *json_slot(const struct jf_frame *frame, unsigned int index)
{
	const struct jf_slot *slot = &frame->slots[index];
	const struct jf_backend *backend = frame->conv->backend;
	char text[128];

	jf_slot_text(frame, index, text, sizeof(text));
	return json_pack("{s:s, s:s?, s:i, s:I, s:s}", "kind", jf_slot_kind_name((enum jf_slot_kind)slot->kind),
			 "register", slot->reg < backend->reg_count ? backend->regs[slot->reg].name : NULL,
			 "off_from_cfa", (int)slot->off_from_cfa, "size_bytes", (json_int_t)slot->size_bytes, "text",
			 text);
}

static json_t *json_spec(const struct jf_frame_spec *spec)
{
	json_t *uses = json_array();

	for (unsigned int i = JF_BPF_R6; i <= JF_BPF_FP; i++) {
		char name[8];

		snprintf(name, sizeof(name), "r%u", i);
		if (spec->bpf_regs_used & 1u << i)
			json_array_append_new(uses, json_string(name));
	}
	return json_pack("{s:s, s:I, s:o, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "role",
			 jf_role_name((enum jf_role)spec->role), "bpf_stack_bytes", (json_int_t)spec->bpf_stack_bytes,
			 "uses", uses, "out_args", (int)spec->out_args, "tail_calls", spec->tail_calls, "arena",
			 spec->arena, "private_stack", spec->private_stack, "landing_pads", spec->landing_pads,
			 "sign_return", spec->sign_return, "leaf", spec->leaf, "classic", spec->classic, "cleanups",
			 spec->cleanups, "throws", spec->throws);
}

static int print_json(const struct jf_frame *frame)
{
	const struct jf_convention *conv = frame->conv;
	json_t *slots = json_array();
	json_t *all;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		json_array_append_new(slots, json_slot(frame, i));
	all = json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:i, s:o}", "arch", conv->backend->name, "convention",
			conv->name, "spec", json_spec(&frame->spec), "size_bytes", (json_int_t)frame->size_bytes,
			"fixed_bytes", (json_int_t)frame->fixed_bytes, "bpf_stack_bytes",
			(json_int_t)frame->bpf_stack_bytes, "out_args_bytes", (json_int_t)frame->out_args_bytes,
			"fp_off_from_cfa", (int)conv->fp_off_from_cfa, "slots", slots);
	if (all && !frame->spec.private_stack)
		json_object_set_new(all, "bpf_fp_off_from_cfa", json_integer(frame->bpf_fp_off_from_cfa));
	if (all && frame->spec.role == JF_ROLE_BOUNDARY)
		json_object_set_new(all, "landing_sp_off_from_cfa", json_integer(frame->landing_sp_off_from_cfa));
	if (all && jf_frame_calls_pads(frame))
		json_object_set_new(all, "spill_off_from_fp", json_integer(jf_frame_spill_off(frame, JF_SLOT_SAVE)));
	if (all && jf_frame_spill_off(frame, JF_SLOT_THROW))
		json_object_set_new(all, "throw_off_from_fp", json_integer(jf_frame_spill_off(frame, JF_SLOT_THROW)));
	return json_print(all);
}

int cmd_frame(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{NULL, 0, NULL, 0, "Output:", 2},
		{"svg", 's', "FILE", 0, "write a picture instead of text (- is standard output)", 2},
		{"json", 'j', NULL, 0, "print JSON", 2},
		{0},
	};
	static const struct argp_child children[] = {{&spec_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		options,
		parse,
		"ARCH/CONVENTION",
		"Draws one function's stack frame, highest address first; offsets are bytes from the CFA, "
		"the caller's stack pointer before the call.",
		children,
		NULL,
		NULL,
	};
	struct args args = {.spec.spec = JF_FRAME_SPEC_INIT};
	struct jf_error error = {0};
	struct jf_frame frame;
	char target[96];
	int status;

	cli_parse(&argp, argc, argv, &args);
	if (jf_frame_solve(args.spec.conv, &args.spec.spec, &frame, &error) != JF_OK) {
		snprintf(target, sizeof(target), "%s/%s", args.spec.conv->backend->name, args.spec.conv->name);
		return cli_error(target, NULL, &error);
	}
	status = args.svg ? svg_write(&frame, args.svg) : 0;
	if (status != 0)
		return status;
	if (args.json)
		return print_json(&frame);
	return args.svg ? 0 : print_text(&frame);
}
