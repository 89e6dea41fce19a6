/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/code_probe.h"

#include "base/memory.h"
#include "run/code_room.h"

#include <jitframe/compile.h>
#include <jitframe/isa.h>

#include <pthread.h>
#include <stdatomic.h>

#define PROBE_BYTES 8192

/* r0 = value; exit: compiled into the room, and run. returns: whether it ran and returned the value. */
static enum jf_status returns(const struct jf_convention *conv, struct code_room *room, uint8_t *scratch, int32_t value,
			      bool *good)
{
	const struct jf_insn insns[] = {{.opcode = 0xb7, .imm = value}, {.opcode = 0x95}};
	const struct jf_function main_function = {"probe", insns, 2};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &main_function, .function_count = 1, .callback = -1};
	uint64_t address = (uintptr_t)room->bytes;
	struct jf_image *image;
	enum jf_status status = jf_compile(conv, &program, NULL, scratch, PROBE_BYTES, address, &image, NULL);

	if (status != JF_OK)
		return status;
	status = code_room_write(room, scratch, image->size_bytes);
	if (status == JF_OK)
		*good = conv->backend->native->enter(address + jf_image_function_at(image, 0)->start, 0, 0) ==
			(uint64_t)value;
	jf_image_free(image);
	return status;
}

/* returns: JF_OK: *good is the answer; else nothing was found out. */
static enum jf_status probe(const struct jf_convention *conv, bool *good)
{
	uint8_t *scratch = jf_alloc(PROBE_BYTES);
	enum jf_status status = JF_E_NO_MEMORY;
	struct code_room room;

	*good = false;
	if (scratch && code_room_take_shared(&room, PROBE_BYTES, PROBE_BYTES, 0)) {
		status = returns(conv, &room, scratch, 1, good);
		if (status == JF_OK && *good)
			status = returns(conv, &room, scratch, 2, good);
		code_room_give(&room);
	}
	jf_free(scratch);
	return status;
}

bool code_probe(const struct jf_convention *conv)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static atomic_int answer; /* 0: not asked; 1, -1 */
	bool good;

	if (atomic_load_explicit(&answer, memory_order_acquire))
		return atomic_load_explicit(&answer, memory_order_relaxed) > 0;
	pthread_mutex_lock(&lock);
	if (!atomic_load(&answer) && probe(conv, &good) == JF_OK)
		atomic_store(&answer, good ? 1 : -1);
	pthread_mutex_unlock(&lock);
	return atomic_load(&answer) > 0;
}
