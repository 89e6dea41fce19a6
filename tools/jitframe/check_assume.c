/* SPDX-License-Identifier: BSD-2-Clause */
#include "checked.h"

#include <stdio.h>

/* What a check takes for granted, and what decides what it could not decide. */

static unsigned int align_of(const struct check_output *output)
{
	return output->c_align ? output->c_align : output->conv->frame_align;
}

void check_assumed_text(const struct check_output *output, char *text, size_t capacity)
{
	snprintf(text, capacity, "%s/%s%s;%s SP is a multiple of %u at calls; what is called elsewhere keeps the ABI%s",
		 output->conv->backend->name, output->conv->name, output->target_by_code ? ", as the code looks" : "",
		 output->is_program ? " the functions are one program, and the first is its main function;" : "",
		 align_of(output), output->in_kernel ? " and changes no floating-point register" : "");
}

void check_print_assumed(const struct check_output *output)
{
	char text[CHECK_ASSUMED_MAX];

	check_assumed_text(output, text, sizeof(text));
	printf("taken for granted: %s\n\n", text);
}

json_t *check_assumed_json(const struct check_output *output)
{
	if (output->is_compiled)
		return json_null();
	return json_pack("{s:b, s:b, s:i, s:b}", "target_by_code", output->target_by_code, "one_program",
			 output->is_program, "sp_align_bytes", (int)align_of(output), "in_kernel", output->in_kernel);
}

/* By rule. What stays undecided for another reason has no option. */
static const char *const hints[JF_RULE_COUNT + 1] = {
	[0] = "--jump-table TO,TO... says where a computed jump goes",
	[1] = "--at KIND=START-END says what is called",
	[2] = "--at KIND=START-END says what is called",
	[3] = "--role says whether this is a boundary",
	[5] = "--at KIND=START-END says what is called, --uses which registers the frame saves",
	[6] = "--stack says how large the BPF stack is",
	[7] = "--stack and --out-args say how deep the frame is",
	[8] = "--stack and --out-args say how deep the frame is",
	[9] = "--tail-calls says that the frame keeps a count",
	[15] = "--arena and --private-stack say what the prologue sets up",
	[16] = "--tail-calls says that a jump out of the frame is a tail call",
	[18] = "--at private-stub=START-END says where the stub is",
};

const char *check_hint(const struct jf_finding *finding)
{
	return finding->verdict == JF_VERDICT_UNDECIDED && finding->rule <= JF_RULE_COUNT ? hints[finding->rule] : NULL;
}
