/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/code_room.h"

#include "run/code_region.h"

#include <linux/membarrier.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * That processors fetch what was written, by one path on every architecture; docs/process.md says, for each of them,
 * where its manual has the rules. __builtin___clear_cache() works by the address at which the code runs, and reaches
 * what the kernel wrote through an alias of its own. It is this processor's alone in part: another one may have fetched
 * ahead, from addresses that nobody has run yet, and needs an event of its own that empties its pipeline.
 * membarrier(2) with SYNC_CORE gives one to every processor that runs a thread of the process, this one included, and a
 * thread that is not running has one before it runs again. Where Linux lacks that command, the other membarrier(2) at
 * least interrupts each of these processors.
 */
static bool sync_by(int command, int registration)
{
	return !syscall(SYS_membarrier, command, 0, 0) ||
	       (!syscall(SYS_membarrier, registration, 0, 0) && !syscall(SYS_membarrier, command, 0, 0));
}

static void sync_cores(void)
{
	static atomic_bool is_refused;

	if (!atomic_load_explicit(&is_refused, memory_order_relaxed)) {
		if (sync_by(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
			    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE))
			return;
		atomic_store_explicit(&is_refused, true, memory_order_relaxed);
	}
	sync_by(MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

static void publish(const struct code_room *room)
{
	__builtin___clear_cache((char *)room->bytes, (char *)room->bytes + room->size);
	sync_cores();
}

static struct code_piece piece_of(const struct code_room *room)
{
	return (struct code_piece){.region = room->region, .bytes = room->bytes, .size = room->size};
}

static atomic_uint apart;

void code_room_keep_apart(bool wanted)
{
	atomic_fetch_add(&apart, wanted ? 1 : -1U);
}

bool code_room_take_shared(struct code_room *room, size_t least, size_t most, int more_prot)
{
	struct code_piece piece;

	if (atomic_load_explicit(&apart, memory_order_relaxed) || !code_region_take(&piece, least, most, more_prot))
		return false;
	*room = (struct code_room){
		.region = piece.region, .bytes = piece.bytes, .size = piece.size, .more_prot = more_prot};
	return true;
}

bool code_room_take_own(struct code_room *room, size_t bytes, int more_prot)
{
	struct exec_memory own;

	if (!exec_memory_map(&own, bytes))
		return false;
	*room = (struct code_room){.bytes = own.bytes, .size = own.size, .more_prot = more_prot, .own = own};
	return true;
}

enum jf_status code_room_write(struct code_room *room, const uint8_t *code, size_t size)
{
	struct code_piece piece = piece_of(room);
	enum jf_status status = code_region_write(&piece, code, size, piece.size);

	if (status == JF_OK)
		publish(room);
	return status;
}

enum jf_status code_room_fill(struct code_room *room, const uint8_t *code, size_t size)
{
	struct code_piece piece = piece_of(room);
	enum jf_status status = JF_OK;

	if (room->region) {
		status = code_region_write(&piece, code, size, size);
		room->size = piece.size;
	} else {
		memcpy(room->bytes, code, size);
		status = exec_memory_seal(&room->own, size, room->more_prot) ? JF_OK : JF_E_NO_MEMORY;
		room->size = room->own.size;
	}
	if (status == JF_OK)
		publish(room);
	return status;
}

void code_room_give(struct code_room *room)
{
	struct code_piece piece = piece_of(room);

	if (room->region)
		code_region_give(&piece);
	else
		exec_memory_unmap(&room->own);
	*room = (struct code_room){.bytes = NULL};
}
