/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *jf_verdict_name(enum jf_verdict verdict)
{
	static const char *const names[JF_VERDICT__COUNT] = {
		[JF_VERDICT_NOT_APPLICABLE] = "not applicable",
		[JF_VERDICT_HOLDS] = "holds",
		[JF_VERDICT_UNDECIDED] = "not decidable",
		[JF_VERDICT_BROKEN] = "broken",
	};

	return (unsigned int)verdict < JF_VERDICT__COUNT ? names[verdict] : "?";
}

bool jf_check_passed(const struct jf_check_report *report)
{
	return report->verdicts[0] <= JF_VERDICT_HOLDS;
}

/* Room for one more, or NULL. */
static struct jf_finding *add(struct sink *sink)
{
	if (sink->count == sink->capacity) {
		size_t capacity = sink->capacity ? 2 * sink->capacity : 16;
		struct jf_finding *findings;

		if (capacity > FINDINGS_MAX)
			return NULL;
		findings = jf_realloc(sink->findings, capacity * sizeof(*findings));
		if (!findings) {
			sink->no_memory = true;
			return NULL;
		}
		sink->findings = findings;
		sink->capacity = capacity;
	}
	return &sink->findings[sink->count++];
}

/* One per rule and place: a callback is looked at for many boundaries. The graver one stays. */
static struct jf_finding *find_or_add(struct sink *sink, unsigned int rule, uint32_t code_off, uint8_t verdict)
{
	for (size_t i = 0; i < sink->count; i++) {
		struct jf_finding *old = &sink->findings[i];

		if (old->rule == rule && old->code_off == code_off)
			return old->verdict < verdict ? old : NULL;
	}
	return add(sink);
}

void finding(struct checker *c, unsigned int rule, enum jf_verdict verdict, const char *fmt, ...)
{
	struct jf_finding *f;
	size_t length;
	va_list args;

	applies(c, rule);
	if (c->judged & UINT32_C(1) << rule && verdict != JF_VERDICT_BROKEN)
		return;
	c->judged |= UINT32_C(1) << rule;
	f = find_or_add(c->sink, rule, c->off, (uint8_t)verdict);
	if (!f)
		return;
	f->rule = (uint8_t)rule;
	f->verdict = (uint8_t)verdict;
	f->code_off = c->off;
	f->name = c->effect.name;
	snprintf(f->text, sizeof(f->text), c->effect.name ? "at +0x%x `%s` " : "at +0x%x ", c->off, c->effect.name);
	length = strlen(f->text);
	va_start(args, fmt);
	vsnprintf(f->text + length, sizeof(f->text) - length, fmt, args);
	va_end(args);
	if (c->landing) {
		length = strlen(f->text);
		snprintf(f->text + length, sizeof(f->text) - length, " (%s)", c->landing);
	}
}

void finding_of_all(struct sink *sink, unsigned int rule, enum jf_verdict verdict, const char *fmt, ...)
{
	struct jf_finding *f = find_or_add(sink, rule, JF_CHECK_NO_OFF, (uint8_t)verdict);
	va_list args;

	sink->applies |= UINT32_C(1) << rule;
	if (!f)
		return;
	*f = (struct jf_finding){.rule = (uint8_t)rule, .verdict = (uint8_t)verdict, .code_off = JF_CHECK_NO_OFF};
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

void sink_merge(struct sink *into, const struct sink *from)
{
	into->applies |= from->applies;
	into->no_memory |= from->no_memory;
	for (size_t i = 0; i < from->count; i++) {
		const struct jf_finding *f = &from->findings[i];
		struct jf_finding *copy = find_or_add(into, f->rule, f->code_off, f->verdict);

		if (copy)
			*copy = *f;
	}
}

/* JF_CHECK_NO_OFF plus one is 0: those of no place come first. */
static int in_order(const void *a, const void *b)
{
	const struct jf_finding *x = a, *y = b;
	uint32_t x_off = x->code_off + 1, y_off = y->code_off + 1;

	return x_off != y_off ? (x_off > y_off) - (x_off < y_off) : (int)x->rule - (int)y->rule;
}

void sink_sort(struct sink *sink)
{
	if (sink->count)
		qsort(sink->findings, sink->count, sizeof(*sink->findings), in_order);
}
