/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_args.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "color.h"
#include "json.h"

#define INSN_TEXT_MAX 96
#define NAME_TEXT_MAX 512

struct verified {
	const struct rows_function *function;
	struct jf_rows_report *report; /* NULL: its rows are true */
	uint32_t insns, believed;
};

struct output {
	const struct rows_args *args;
	const struct rows_file *file;
	struct disasm *disasm;
	json_t *functions;
	size_t counts[JF_ROWS__COUNT];
	struct verified *verified;
	size_t count, insns, believed, skipped;
};

/* ---- one function ----------------------------------------------------------------------------------------- */

static void insn_text(struct output *out, const struct rows_function *function, const struct jf_rows_report *report,
		      char *text)
{
	size_t size = (size_t)(function->cfi.end - function->cfi.start);

	text[0] = '\0';
	if (!out->disasm)
		out->disasm = disasm_new(out->file->backend);
	if (out->disasm && report->code_off < size)
		disasm_insn(out->disasm, function->bytes + report->code_off, size - report->code_off,
			    function->cfi.start + report->code_off, text, INSN_TEXT_MAX);
	for (char *c = text; *c; c++)
		*c = *c == '\t' ? ' ' : *c;
}

static void print_text(struct output *out, const struct rows_function *function, const struct jf_rows_report *report)
{
	enum color color = report->verdict == JF_ROWS_UNTRUE ? COLOR_BAD : COLOR_OPEN;
	char place[NAME_TEXT_MAX], insn[INSN_TEXT_MAX];

	rows_file_address(out->file, function->cfi.start + report->code_off, place, sizeof(place));
	insn_text(out, function, report, insn);
	printf("%s%s%s: %s: %s\n", color_on(stdout, color), jf_rows_verdict_name((enum jf_rows_verdict)report->verdict),
	       color_off(stdout, color), place, insn);
	printf("    %s\n", report->text);
}

static void print_json(struct output *out, const struct verified *v, const struct jf_rows_report *report)
{
	const struct rows_function *function = v->function;
	static const char *const abouts[JF_ROWS_ABOUT__COUNT] = {"nothing",  "cfa", "return_address",
								 "register", "row", "code"};
	json_t *value = json_pack("{s:s, s:o, s:o, s:i, s:i, s:i}", "verdict",
				  jf_rows_verdict_name((enum jf_rows_verdict)report->verdict), "start",
				  json_hex(function->cfi.start), "name",
				  function->name ? json_text(function->name) : json_null(), "name_off",
				  (int)function->name_off, "instructions", (int)v->insns, "believed", (int)v->believed);
	char insn[INSN_TEXT_MAX];

	if (report->verdict != JF_ROWS_TRUE) {
		insn_text(out, function, report, insn);
		json_object_set_new(value, "about", json_string(abouts[report->about]));
		json_object_set_new(value, "code_off", json_integer(report->code_off));
		json_object_set_new(value, "row_off",
				    report->row_off == JF_ROWS_NO_OFF ? json_null() : json_integer(report->row_off));
		json_object_set_new(value, "instruction", json_text(insn));
		json_object_set_new(value, "says", json_text(report->says));
		json_object_set_new(value, "is", json_text(report->is));
		json_object_set_new(value, "text", json_text(report->text));
		if (report->reg < out->file->backend->reg_count)
			json_object_set_new(value, "register", json_string(out->file->backend->regs[report->reg].name));
	}
	json_array_append_new(out->functions, value);
}

/* in: again: undecided once, and jumps of other functions into this one are known by now. */
static int verify(struct output *out, struct rows_file *file, struct verified *v, bool again)
{
	struct jf_error error = {0};
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_rows_input input;

	rows_file_input(file, v->function, &input);
	if (again) {
		input.entries = rows_file_entries(file, v->function, &input.entry_count);
		if (!input.entry_count)
			return 0;
	}
	if (jf_rows_verify(&input, &report, &error) != JF_OK)
		return cli_error(v->function->name ? v->function->name : out->args->path, NULL, &error);
	v->insns = report.insn_count;
	v->believed = report.believed_count;
	if (report.verdict == JF_ROWS_TRUE) {
		free(v->report);
		v->report = NULL;
		return 0;
	}
	if (!v->report)
		v->report = malloc(sizeof(*v->report));
	if (!v->report)
		return cli_failed("no memory");
	*v->report = report;
	return 0;
}

static void print(struct output *out, const struct verified *v)
{
	const struct jf_rows_report none = {.verdict = JF_ROWS_TRUE, .reg = JF_REG_NONE};
	const struct jf_rows_report *report = v->report ? v->report : &none;

	out->counts[report->verdict]++;
	out->insns += v->insns;
	out->believed += v->believed;
	if (out->args->json)
		print_json(out, v, report);
	else if (report->verdict == JF_ROWS_UNTRUE || (report->verdict == JF_ROWS_UNDECIDED && out->args->all))
		print_text(out, v->function, report);
}

/* ---- all of them --------------------------------------------------------------------------------------------- */

static int print_end(struct output *out)
{
	size_t all = 0;
	int status = 0;

	for (unsigned int i = 0; i < JF_ROWS__COUNT; i++)
		all += out->counts[i];
	if (out->args->json)
		status = json_print(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "target",
					      out->file->backend->name, "true", (json_int_t)out->counts[JF_ROWS_TRUE],
					      "untrue", (json_int_t)out->counts[JF_ROWS_UNTRUE], "undecided",
					      (json_int_t)out->counts[JF_ROWS_UNDECIDED], "without_code",
					      (json_int_t)out->skipped, "instructions", (json_int_t)out->insns,
					      "believed", (json_int_t)out->believed, "functions", out->functions));
	else
		printf("%zu functions: %zu true, %zu untrue, %zu undecided\n", all, out->counts[JF_ROWS_TRUE],
		       out->counts[JF_ROWS_UNTRUE], out->counts[JF_ROWS_UNDECIDED]);
	if (status != 0)
		return status;
	return out->counts[JF_ROWS_TRUE] == all ? 0 : CLI_FAILED;
}

/* All that are wanted, in the order of their addresses. */
static int verify_all(struct output *out, struct rows_file *file)
{
	int status = 0;

	out->verified = calloc(file->function_count + 1, sizeof(*out->verified));
	if (!out->verified)
		return cli_failed("no memory");
	for (size_t i = 0; i < file->function_count; i++) {
		if (!rows_wanted(out->args, &file->functions[i]))
			continue;
		if (file->functions[i].bytes)
			out->verified[out->count++].function = &file->functions[i];
		else /* a section that is not in the file, or none at all */
			out->skipped++;
	}
	for (size_t i = 0; status == 0 && i < out->count; i++)
		status = verify(out, file, &out->verified[i], false);
	rows_file_sort_jumps(file);
	for (size_t i = 0; status == 0 && i < out->count; i++)
		if (out->verified[i].report && out->verified[i].report->verdict == JF_ROWS_UNDECIDED)
			status = verify(out, file, &out->verified[i], true);
	for (size_t i = 0; status == 0 && i < out->count; i++)
		print(out, &out->verified[i]);
	return status;
}

int rows_verify(const struct rows_args *args)
{
	struct rows_file file;
	struct output out = {.args = args, .file = &file};
	int status = rows_file_open(&file, args->path, true);

	out.functions = args->json ? json_array() : NULL;
	if (status == 0)
		status = verify_all(&out, &file);
	if (status == 0 && !out.count)
		status = args->function ?
				 cli_bad_input("%s: no rows are of a function %s", args->path, args->function) :
				 cli_bad_input("%s: its table is empty", args->path);
	if (status == 0)
		status = print_end(&out);
	for (size_t i = 0; i < out.count; i++)
		free(out.verified[i].report);
	free(out.verified);
	disasm_free(out.disasm);
	json_decref(out.functions);
	rows_file_close(&file);
	return status;
}
