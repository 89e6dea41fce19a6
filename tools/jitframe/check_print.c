/* SPDX-License-Identifier: BSD-2-Clause */
#include "checked.h"

#include <stdio.h>
#include <string.h>

#include <jitframe/describe.h>

#include "color.h"

/* ---- specs ------------------------------------------------------------------------------------------- */

static size_t add(char *text, size_t capacity, size_t used, const char *word)
{
	int length = used < capacity ? snprintf(text + used, capacity - used, "%s%s", used ? ", " : "", word) : 0;

	return used + (length > 0 ? (size_t)length : 0);
}

void check_spec_text(const struct jf_frame_spec *spec, char *text, size_t capacity)
{
	const struct {
		bool on;
		const char *word;
	} options[] = {
		{spec->tail_calls, "tail calls"},
		{spec->arena, "arena"},
		{spec->private_stack, "private stack"},
		{spec->landing_pads, "landing pads"},
		{spec->sign_return, "signed return"},
		{spec->leaf, "leaf"},
		{spec->classic, "classic"},
		{spec->cleanups, "cleanups"},
		{spec->throws, "throws"},
	};
	char word[64];
	size_t used = add(text, capacity, 0, jf_role_name((enum jf_role)spec->role));

	snprintf(word, sizeof(word), "BPF stack %u", spec->bpf_stack_bytes);
	used = add(text, capacity, used, word);
	for (unsigned int reg = JF_BPF_R6; reg <= JF_BPF_FP; reg++) {
		if (!(spec->bpf_regs_used & 1u << reg))
			continue;
		snprintf(word, sizeof(word), "r%u", reg);
		used = add(text, capacity, used, word);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].on)
			used = add(text, capacity, used, options[i].word);
	if (spec->out_args) {
		snprintf(word, sizeof(word), "%u outgoing arguments", spec->out_args);
		add(text, capacity, used, word);
	}
}

static json_t *spec_json(const struct jf_frame_spec *spec)
{
	json_t *uses = json_array();

	for (unsigned int reg = JF_BPF_R6; reg <= JF_BPF_FP; reg++)
		if (spec->bpf_regs_used & 1u << reg)
			json_array_append_new(uses, json_sprintf("r%u", reg));
	return json_pack("{s:s, s:I, s:o, s:b, s:b, s:b, s:i, s:b, s:b, s:b, s:b, s:b, s:b}", "role",
			 jf_role_name((enum jf_role)spec->role), "bpf_stack_bytes", (json_int_t)spec->bpf_stack_bytes,
			 "uses", uses, "tail_calls", spec->tail_calls, "arena", spec->arena, "private_stack",
			 spec->private_stack, "out_args", spec->out_args, "landing_pads", spec->landing_pads,
			 "sign_return", spec->sign_return, "leaf", spec->leaf, "classic", spec->classic, "cleanups",
			 spec->cleanups, "throws", spec->throws);
}

/* ---- findings ----------------------------------------------------------------------------------------- */

/* Most functions have no findings, and need no disassembler. */
struct disasm *check_disasm(struct check_output *output)
{
	if (!output->disasm && !output->no_disasm) {
		output->disasm = disasm_new(output->conv->backend);
		output->no_disasm = !output->disasm;
		if (output->no_disasm)
			cli_failed("LLVM cannot disassemble for %s", output->conv->backend->llvm_triple);
	}
	return output->disasm;
}

/* The instruction that a finding is about, as LLVM writes it. returns: false when there is none. */
static bool insn_text(struct check_output *output, const struct jf_check_input *input, uint32_t off, char *bytes,
		      size_t bytes_capacity, char *text, size_t capacity)
{
	size_t length;

	if (off >= input->byte_count || !check_disasm(output))
		return false;
	length = disasm_insn(output->disasm, input->bytes + off, input->byte_count - off, input->address + off, text,
			     capacity);
	disasm_bytes(input->bytes + off, length, bytes, bytes_capacity);
	return true;
}

size_t check_kept(const struct jf_check_report *report)
{
	return report->finding_count < report->finding_capacity ? report->finding_count : report->finding_capacity;
}

static void print_findings(struct check_output *output, const struct checked *c, unsigned int rule)
{
	for (size_t i = 0; i < check_kept(c->report); i++) {
		const struct jf_finding *finding = &c->report->findings[i];
		char bytes[64], text[160];

		if (finding->rule != rule)
			continue;
		printf("      %s\n", finding->text);
		if (insn_text(output, c->input, finding->code_off, bytes, sizeof(bytes), text, sizeof(text)))
			printf("      %6x:  %s  %s\n", finding->code_off, bytes, text);
		if (check_hint(finding))
			printf("      to decide: %s\n", check_hint(finding));
	}
}

static json_t *findings_json(struct check_output *output, const struct checked *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < check_kept(c->report); i++) {
		const struct jf_finding *finding = &c->report->findings[i];
		json_t *item = json_pack("{s:i, s:s, s:s}", "rule", finding->rule, "verdict",
					 jf_verdict_name((enum jf_verdict)finding->verdict), "text", finding->text);
		char bytes[64], text[160];

		if (insn_text(output, c->input, finding->code_off, bytes, sizeof(bytes), text, sizeof(text))) {
			json_object_set_new(item, "offset", json_integer(finding->code_off));
			json_object_set_new(item, "instruction", json_text(text));
		}
		if (check_hint(finding))
			json_object_set_new(item, "to_decide", json_string(check_hint(finding)));
		json_array_append_new(list, item);
	}
	return list;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static void row_text(const struct checked *c, const struct jf_row *row, char *text, size_t capacity)
{
	if (row->flags & JF_ROW_UNKNOWN)
		snprintf(text, capacity, "unknown");
	else
		jf_row_text(c->input->conv->backend, row, c->slots, (unsigned int)c->slot_count, text, capacity);
}

static void print_rows(const struct checked *c)
{
	char text[512];

	printf("  rows from the code:\n");
	for (size_t i = 0; i < c->row_count; i++) {
		row_text(c, &c->rows[i], text, sizeof(text));
		printf("    %6x:  %s\n", c->rows[i].code_off, text);
	}
}

static json_t *rows_json(const struct checked *c)
{
	json_t *list = json_array();
	char text[512];

	for (size_t i = 0; i < c->row_count; i++) {
		row_text(c, &c->rows[i], text, sizeof(text));
		json_array_append_new(list,
				      json_pack("{s:I, s:s}", "offset", (json_int_t)c->rows[i].code_off, "row", text));
	}
	return list;
}

bool check_is_doubtful(const struct check_output *output, const struct checked *c)
{
	return c->inferred && c->inferred->matched < c->inferred->insns && !output->spec_given;
}

static enum color verdict_color(enum jf_verdict verdict)
{
	switch (verdict) {
	case JF_VERDICT_HOLDS: return COLOR_GOOD;
	case JF_VERDICT_UNDECIDED: return COLOR_OPEN;
	case JF_VERDICT_BROKEN: return COLOR_BAD;
	default: return COLOR_NONE;
	}
}

/* ---- one function --------------------------------------------------------------------------------------- */

static void print_text(struct check_output *output, const struct checked *c)
{
	const struct jf_convention *conv = c->input->conv;
	char spec[256];

	check_spec_text(&c->input->spec, spec, sizeof(spec));
	printf("%s%s: %s/%s, %zu bytes, %zu instructions, %zu calls\n", output->checked ? "\n" : "", c->name,
	       conv->backend->name, conv->name, c->input->byte_count, c->report->insn_count, c->report->call_count);
	if (c->input->kind == JF_CHECK_FUNCTION)
		printf("  spec: %s\n", spec);
	if (c->inferred)
		printf("  inferred from the code: %u of %u instructions of this spec's prologue are there\n",
		       c->inferred->matched, c->inferred->insns);
	if (check_is_doubtful(output, c))
		printf("  undecided: it may be another frame; --role, --stack and --uses say which\n");
	print_findings(output, c, 0);
	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++) {
		enum jf_verdict verdict = (enum jf_verdict)c->report->verdicts[rule];

		if (verdict == JF_VERDICT_NOT_APPLICABLE || output->except >> rule & 1 ||
		    (output->brief && verdict == JF_VERDICT_HOLDS))
			continue;
		printf("  R%-3u %-22s %s%s%s\n", rule, jf_rule_at(rule)->name, color_on(stdout, verdict_color(verdict)),
		       jf_verdict_name(verdict), color_off(stdout, verdict_color(verdict)));
		print_findings(output, c, rule);
	}
	if (c->report->finding_count >= c->report->finding_capacity)
		printf("  these are the first %zu findings; mend some, and check again\n", c->report->finding_capacity);
	if (output->rows)
		print_rows(c);
}

/* jf_check_passed() but for the rules that nobody asks about. */
static bool passed(const struct check_output *output, const struct checked *c)
{
	const struct jf_check_report *report = c->report;
	bool all = !check_is_doubtful(output, c);

	/* What cannot be followed leaves every rule open. */
	if (output->except == 0)
		return all && jf_check_passed(report);
	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++)
		all &= report->verdicts[rule] < JF_VERDICT_UNDECIDED || output->except >> rule & 1;
	return all;
}

json_t *check_json(struct check_output *output, const struct checked *c)
{
	json_t *rules = json_object(), *item;
	char name[8];

	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++) {
		if (!jf_rule_at(rule))
			continue;
		snprintf(name, sizeof(name), "R%u", rule);
		json_object_set_new(rules, name,
				    json_string(jf_verdict_name((enum jf_verdict)c->report->verdicts[rule])));
	}
	item = json_pack("{s:o, s:o*, s:b, s:I, s:I, s:I, s:o, s:b, s:o, s:o}", "name", json_text(c->name), "program",
			 output->program ? json_text(output->program) : NULL, "sound", passed(output, c), "size_bytes",
			 (json_int_t)c->input->byte_count, "instructions", (json_int_t)c->report->insn_count, "calls",
			 (json_int_t)c->report->call_count, "spec", spec_json(&c->input->spec), "inferred",
			 c->inferred != NULL, "rules", rules, "findings", findings_json(output, c));
	if (c->inferred)
		json_object_set_new(item, "prologue",
				    json_pack("{s:I, s:I}", "instructions", (json_int_t)c->inferred->insns, "found",
					      (json_int_t)c->inferred->matched));
	if (output->rows)
		json_object_set_new(item, "rows", rows_json(c));
	return item;
}

void check_print(struct check_output *output, const struct checked *checked)
{
	if (output->json)
		json_array_append_new(output->functions, check_json(output, checked));
	else if (!output->quiet)
		print_text(output, checked);
	if (output->page)
		page_add(output->page, output, checked);
	output->checked++;
	output->failed += !passed(output, checked);
}

static int print_end(struct check_output *output)
{
	char target[96];

	snprintf(target, sizeof(target), "%s/%s", output->conv->backend->name, output->conv->name);
	if (output->json)
		return json_print(json_pack("{s:s, s:b, s:o, s:O}", "target", target, "sound", output->failed == 0,
					    "taken_for_granted", check_assumed_json(output), "functions",
					    output->functions));
	if (output->failed)
		printf("\n%u of %u functions: %snot all rules hold%s\n", output->failed, output->checked,
		       color_on(stdout, COLOR_BAD), color_off(stdout, COLOR_BAD));
	else
		printf("\n%u functions: %sall rules hold%s\n", output->checked, color_on(stdout, COLOR_GOOD),
		       color_off(stdout, COLOR_GOOD));
	return 0;
}

int check_print_end(struct check_output *output)
{
	int status = output->quiet ? 0 : print_end(output);

	if (status == 0 && output->page)
		status = page_write(output->page, output);
	return status == 0 && output->failed ? CLI_FAILED : status;
}

/* ---- conventions ----------------------------------------------------------------------------------------- */

#define CONVENTION_FINDINGS 256

static json_t *convention_json(const char *target, const struct jf_finding *findings, int count)
{
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:i, s:s}", "rule", findings[i].rule, "text", findings[i].text));
	return json_pack("{s:s, s:o}", "convention", target, "findings", list);
}

static void convention_text(const char *target, const struct jf_finding *findings, int count)
{
	printf("%s: %s\n", target, count ? "" : "no contradictions");
	for (int i = 0; i < count; i++) {
		if (findings[i].rule)
			printf("  R%-3u %s\n", findings[i].rule, findings[i].text);
		else
			printf("  -    %s\n", findings[i].text);
	}
}

/* returns: how many findings there are. */
static int check_convention(const struct jf_convention *conv, json_t *list)
{
	static struct jf_finding findings[CONVENTION_FINDINGS];
	int count = jf_convention_check(conv, findings, CONVENTION_FINDINGS);
	char target[96];

	snprintf(target, sizeof(target), "%s/%s", conv->backend->name, conv->name);
	if (count > CONVENTION_FINDINGS)
		count = CONVENTION_FINDINGS;
	if (list)
		json_array_append_new(list, convention_json(target, findings, count));
	else
		convention_text(target, findings, count);
	return count;
}

int check_conventions(const char *name, bool json)
{
	json_t *list = json ? json_array() : NULL;
	const struct jf_convention *only = NULL;
	const struct jf_backend *backend;
	int found = 0, status = name ? cli_convention(name, &only) : 0;

	if (status != 0)
		return status;
	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		for (unsigned int k = 0; k < backend->convention_count; k++)
			if (!only || only == backend->conventions[k])
				found += check_convention(backend->conventions[k], list);
	if (list)
		status = json_print(list);
	return status == 0 && found ? CLI_FAILED : status;
}
