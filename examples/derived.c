/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Machine code from elsewhere, of which nothing is known but its bytes: the checker derives the unwind rows from the
 * code. Then walks go through the code, and throws too.
 *
 *     cc -g derived.c $(pkg-config --cflags --libs jitframe) -o derived
 */

#include <inttypes.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ROWS_MAX 64

typedef uint64_t callback(uint64_t x);

/* The code from elsewhere: a function of this program, alone in its section, whose bytes are copied. */
__attribute__((noinline, used, section("elsewhere"))) static uint64_t sum(callback *each, uint64_t count)
{
	uint64_t total = 0;

	for (uint64_t i = 0; i < count; i++)
		total += each(i) * 3;
	return total;
}
/* By the linker. */
extern const uint8_t __start_elsewhere[] __attribute__((visibility("hidden")));
extern const uint8_t __stop_elsewhere[] __attribute__((visibility("hidden")));

static volatile uint64_t last; /* after the call: so that the call of jf_throw() is no jump */

static uint64_t square(uint64_t x)
{
	if (x > 5)
		last = (uint64_t)jf_throw(x);
	return x * x;
}

static void print_rows(const struct jf_range *range)
{
	char text[128];

	for (size_t i = 0; i < range->row_count; i++) {
		if (range->rows[i].flags & JF_ROW_UNKNOWN)
			snprintf(text, sizeof(text), "not known");
		else
			jf_row_text(range->backend, &range->rows[i], range->slots, range->slot_count, text,
				    sizeof(text));
		printf("  +0x%02" PRIx32 "  %s\n", range->rows[i].code_off, text);
	}
}

/* Derives rows for [bytes, bytes + count) and registers the code. */
static enum jf_status register_code(const uint8_t *bytes, size_t count, struct jf_range *range, struct jf_error *error)
{
	static struct jf_row rows[ROWS_MAX];
	static struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	size_t row_count = ROWS_MAX, slot_count = JF_FRAME_SLOTS_MAX;
	struct jf_rows_input input = JF_ROWS_INPUT_INIT;
	enum jf_status status;

	input.backend = jf_backend_host();
	input.bytes = bytes;
	input.byte_count = count;
	input.address = (uintptr_t)bytes;
	status = jf_rows_make(&input, rows, &row_count, slots, &slot_count, error);
	if (status != JF_OK)
		return status;
	*range = (struct jf_range){
		.size = sizeof(*range),
		.kind = JF_RANGE_SUBPROGRAM,
		.start = (uintptr_t)bytes,
		.end = (uintptr_t)bytes + count,
		.name = "sum",
		.backend = input.backend,
		.rows = rows,
		.row_count = row_count,
		.slots = slots,
		.slot_count = (uint8_t)slot_count,
	};
	return jf_code_map_add(range, error);
}

static uint64_t (*copied)(callback *each, uint64_t count);

static uint64_t run(void *count)
{
	return last = copied(square, *(uint64_t *)count);
}

static void run_and_catch(uint64_t count)
{
	uint64_t value = 0;

	switch (jf_try(run, &count, &value)) {
	case JF_OK: printf("sum(%" PRIu64 ") = %" PRIu64 "\n", count, value); break;
	case JF_CAUGHT: printf("sum(%" PRIu64 ") threw %" PRIu64 "\n", count, value); break;
	default: printf("sum(%" PRIu64 ") was not called\n", count);
	}
}

int main(void)
{
	size_t count = (size_t)(__stop_elsewhere - __start_elsewhere);
	void *code = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct jf_error error = {.text = "no memory for code"};
	struct jf_range range;

	if (code == MAP_FAILED)
		return 1;
	memcpy(code, __start_elsewhere, count);
	__builtin___clear_cache(code, (char *)code + count);
	if (mprotect(code, count, PROT_READ | PROT_EXEC) || register_code(code, count, &range, &error) != JF_OK) {
		fprintf(stderr, "%s: %s\n", error.where, error.text);
		return 1;
	}
	printf("%zu rows, derived from %zu bytes:\n", range.row_count, count);
	print_rows(&range);
	memcpy(&copied, &code, sizeof(copied));
	run_and_catch(4);  /* (0 + 1 + 4 + 9) * 3 */
	run_and_catch(10); /* square(6) throws */
	return jf_code_map_remove(&range) != JF_OK;
}
