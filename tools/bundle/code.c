/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking the code of another JIT in a bundle. libc only, as bundle.c. */
#include "bundle.h"

static bool is_part(const struct bundle *bundle, uint32_t start, uint64_t count, enum bundle_table table)
{
	return start <= bundle->count[table] && count <= bundle->count[table] - start;
}

static bool offsets_ok(const uint32_t *offsets, uint32_t count, uint32_t end)
{
	for (uint32_t i = 0; i < count; i++)
		if (offsets[i] > end || (i > 0 && offsets[i] < offsets[i - 1]))
			return false;
	return true;
}

static bool faults_ok(const struct jf_fault *faults, uint32_t count, uint32_t end)
{
	uint32_t free_from = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (faults[i].start_off < free_from || faults[i].end_off <= faults[i].start_off ||
		    faults[i].end_off > end || faults[i].resume_off > end)
			return false;
		free_from = faults[i].end_off;
	}
	return true;
}

static const char *wrong_code(const struct bundle *b, const struct bundle_code *code)
{
	if (code->function != BUNDLE_NO_FUNCTION && code->function >= b->count[BUNDLE_FUNCTIONS])
		return "code is of a function that is not in the table";
	if (code->byte_count == 0 || !is_part(b, code->byte_start, code->byte_count, BUNDLE_BYTES))
		return "code's bytes are not in the table";
	if (code->address > UINT64_MAX - code->byte_count)
		return "code's address is too high";
	if (code->insn_count > 0 &&
	    (!is_part(b, code->offset_start, (uint64_t)code->insn_count + 1, BUNDLE_OFFSETS) ||
	     !offsets_ok(b->offsets + code->offset_start, code->insn_count + 1, code->byte_count)))
		return "code's offsets are not in the table, or not ascending";
	if (!is_part(b, code->fault_start, code->fault_count, BUNDLE_FAULTS) ||
	    !faults_ok(b->faults + code->fault_start, code->fault_count, code->byte_count))
		return "code's faults are not in the table, or not sorted";
	if ((code->flags & BUNDLE_CODE_PRIVATE_STACK) && code->private_off >= b->jit->private_bytes)
		return "code's private stack is not one of the JIT's";
	return code->role < JF_ROLE__COUNT ? NULL : "code has an unknown role";
}

static const char *wrong_image(const struct bundle *b, uint32_t index)
{
	const struct bundle_image *image = &b->images[index];

	if (!is_part(b, image->code_start, image->code_count, BUNDLE_CODES))
		return "image's code is not in the table";
	if (image->code_count > 0 && b->codes[image->code_start].function != b->programs[index].main)
		return "image does not begin with its program's main function";
	if (image->callback < -1 || image->callback == 0 ||
	    (image->callback > 0 && (uint32_t)image->callback >= image->code_count))
		return "image's callback is none of its functions";
	for (uint32_t i = 0; i < image->code_count; i++)
		if (b->codes[image->code_start + i].role == JF_ROLE_BOUNDARY && image->callback < 0)
			return "image has a boundary and no callback";
	return NULL;
}

#define LAYOUT_MAX 4096 /* bytes */

static bool wrong_layout(const struct bundle_jit *jit)
{
	return jit->array_programs_off > LAYOUT_MAX || jit->array_programs_off % 8 != 0 ||
	       jit->array_count_off > jit->array_programs_off - sizeof(uint32_t) ||
	       jit->array_programs_off < sizeof(uint32_t) || jit->program_code_off > LAYOUT_MAX ||
	       jit->program_code_off % 8 != 0;
}

const void *bundle_check_code(const struct bundle *bundle, const char **what)
{
	const uint32_t *count = bundle->count;

	if (!bundle->jit) {
		*what = "code of a JIT that is not there";
		return count[BUNDLE_IMAGES] | count[BUNDLE_CODES] | count[BUNDLE_PLACES] ? bundle->images : NULL;
	}
	*what = "not one image for every program and one place for every map, of one JIT";
	if (count[BUNDLE_JITS] != 1 || count[BUNDLE_IMAGES] != count[BUNDLE_PROGRAMS] ||
	    count[BUNDLE_PLACES] != count[BUNDLE_MAPS])
		return bundle->jit;
	*what = "no structure of a kernel has members so far behind its start, or so aligned";
	if (wrong_layout(bundle->jit))
		return bundle->jit;
	for (uint32_t i = 0; i < count[BUNDLE_CODES]; i++) {
		*what = wrong_code(bundle, &bundle->codes[i]);
		if (*what)
			return &bundle->codes[i];
	}
	for (uint32_t i = 0; i < count[BUNDLE_IMAGES]; i++) {
		*what = wrong_image(bundle, i);
		if (*what)
			return &bundle->images[i];
	}
	return NULL;
}
