/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as code, rows and slots: judged, and rows derived, without reading anything else.
 *
 *     0      backend
 *     1      rows
 *     2      slots
 *     3      jump targets
 *     4      rows: 12 bytes each; slots: 4 bytes each; jump targets: 2 bytes each; then the code
 */

#include "target.h"

#include <jitframe/rows.h>
#include <string.h>

#define HEADER      4
#define ROWS_MAX    32
#define TARGETS_MAX 4
#define SEEDS       24
#define MADE_MAX    4096

static void take_table(struct fuzz_bytes *bytes, struct jf_rows_input *input, struct jf_row *rows,
		       struct jf_slot *slots)
{
	uint32_t off = 0;

	for (size_t i = 0; i < input->row_count; i++) {
		off += (uint32_t)fuzz_take(bytes, 1);
		rows[i] = (struct jf_row){.code_off = off};
		rows[i].cfa_reg = (uint8_t)fuzz_take(bytes, 1);
		rows[i].flags = (uint8_t)fuzz_take(bytes, 1);
		rows[i].cfa_off = (int32_t)fuzz_take(bytes, 4);
		rows[i].saved = (uint32_t)fuzz_take(bytes, 5);
	}
	for (unsigned int i = 0; i < input->slot_count; i++) {
		slots[i] = (struct jf_slot){.reg = (uint8_t)fuzz_take(bytes, 1), .size_bytes = 8};
		slots[i].off_from_cfa = (int8_t)fuzz_take(bytes, 1) * 8;
		fuzz_take(bytes, 2);
	}
	input->rows = rows;
	input->slots = slots;
}

static void make(const struct jf_rows_input *in)
{
	static struct jf_row rows[MADE_MAX];
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	size_t row_count = MADE_MAX, slot_count = JF_FRAME_SLOTS_MAX;
	enum jf_status status = jf_rows_make(in, rows, &row_count, slots, &slot_count, NULL);

	MUST(status == JF_OK || status == JF_E_INVAL || (status == JF_E_NOSPACE && row_count > MADE_MAX));
	for (size_t i = 0; status == JF_OK && i < row_count; i++) {
		MUST(rows[i].code_off < in->byte_count && (!i || rows[i].code_off > rows[i - 1].code_off));
		MUST(rows[i].flags & JF_ROW_UNKNOWN || rows[i].cfa_reg < in->backend->reg_count);
		MUST(slot_count == 32 || rows[i].saved >> slot_count == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_rows_input input = JF_ROWS_INPUT_INIT;
	struct fuzz_bytes bytes = {data, size};
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	struct jf_row rows[ROWS_MAX];
	uint32_t targets[TARGETS_MAX];
	struct jf_error error = {0};
	enum jf_status status;
	size_t backends = 0;

	while (jf_backend_at(backends))
		backends++;
	input.backend = jf_backend_at(fuzz_take(&bytes, 1) % backends);
	input.row_count = fuzz_take(&bytes, 1) % (ROWS_MAX + 1);
	input.slot_count = (uint8_t)(fuzz_take(&bytes, 1) % (JF_FRAME_SLOTS_MAX + 1));
	input.jump_target_count = fuzz_take(&bytes, 1) % (TARGETS_MAX + 1);
	take_table(&bytes, &input, rows, slots);
	for (size_t i = 0; i < input.jump_target_count; i++)
		targets[i] = (uint32_t)fuzz_take(&bytes, 2);
	input.jump_targets = targets;
	input.bytes = bytes.at;
	input.byte_count = bytes.left;
	status = jf_rows_verify(&input, &report, &error);
	if (status == JF_OK) {
		MUST(report.verdict < JF_ROWS__COUNT && report.about < JF_ROWS_ABOUT__COUNT);
		MUST((report.verdict == JF_ROWS_TRUE) == (report.code_off == JF_ROWS_NO_OFF));
		MUST(memchr(report.text, 0, sizeof(report.text)) && report.insn_count <= input.byte_count);
	} else {
		MUST((status == JF_E_INVAL || status == JF_E_UNSUPPORTED) && error.where[0] && error.text[0]);
	}
	make(&input);
	return 0;
}

/* A frame of each convention in turn, with its rows. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	static const struct jf_values no_values;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	size_t backends = 0, used = HEADER, row_count, slot_count;
	const struct jf_convention *conv;
	struct jf_row rows[256];
	struct jf_frame frame;
	uint8_t bytes[2048];
	struct jf_code code;

	while (jf_backend_at(backends))
		backends++;
	conv = jf_backend_at(number % backends)->conventions[0];
	spec.role = number & 8 ? JF_ROLE_BOUNDARY : JF_ROLE_MAIN;
	spec.bpf_stack_bytes = (uint32_t)(number & 16) * 4;
	jf_code_init(&code, bytes, sizeof(bytes), 0, rows, 256);
	if (number >= SEEDS || jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK ||
	    jf_frame_emit(&code, &frame, JF_PART_ALL, &no_values) != JF_OK)
		return 0;
	row_count = code.row_count < ROWS_MAX ? code.row_count : ROWS_MAX;
	slot_count = frame.slot_count;
	if (capacity < used + 12 * row_count + 4 * slot_count + code.size)
		return 0;
	memset(data, 0, used + 12 * row_count + 4 * slot_count);
	data[0] = (uint8_t)(number % backends);
	data[1] = (uint8_t)row_count;
	data[2] = (uint8_t)slot_count;
	for (size_t i = 0; i < row_count; i++, used += 12) {
		data[used] = (uint8_t)(rows[i].code_off - (i ? rows[i - 1].code_off : 0));
		data[used + 1] = rows[i].cfa_reg;
		data[used + 2] = rows[i].flags;
		for (unsigned int k = 0; k < 4; k++) {
			data[used + 3 + k] = (uint8_t)((uint32_t)rows[i].cfa_off >> 8 * k);
			data[used + 7 + k] = (uint8_t)(rows[i].saved >> 8 * k);
		}
	}
	for (size_t i = 0; i < slot_count; i++, used += 4) {
		data[used] = frame.slots[i].reg;
		data[used + 1] = (uint8_t)(frame.slots[i].off_from_cfa / 8);
	}
	memcpy(data + used, bytes, code.size);
	return used + code.size;
}
