/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "publish/consumer.h"
#include "publish/elf.h"
#include "run/code_room.h"

#include <elf.h>
#include <search.h>

/*
 * GDB's JIT interface: a list of ELF files in memory, and a function that debuggers have a breakpoint in. Names and
 * layout are GDB's ("JIT Compilation Interface" of its manual). All under the code map's lock.
 */

enum { JIT_NO_ACTION, JIT_REGISTER, JIT_UNREGISTER };

struct jit_code_entry {
	struct jit_code_entry *next, *prev;
	const uint8_t *file;
	uint64_t file_bytes;
};

struct jit_descriptor {
	uint32_t version;
	uint32_t action;
	struct jit_code_entry *relevant, *first;
};

/*
 * Weak, for a program may hold another JIT that has these, too: both lists are one then. A debugger looks in every
 * object of the process.
 */
extern struct jit_descriptor __jit_debug_descriptor;
JF_API void __jit_debug_register_code(void);

JF_API __attribute__((weak)) struct jit_descriptor __jit_debug_descriptor = {.version = 1};

__attribute__((weak, noinline)) void __jit_debug_register_code(void)
{
	__asm__ volatile("" ::: "memory"); /* calls of an empty function would be left out */
}

/* ---- files ------------------------------------------------------------------------------------------------ */

/* One range in its file. */
struct told_range {
	const struct jf_range *range; /* NULL: removed */
	struct told_file *file;
};

/* One file: ranges that came together, as those of a program. */
struct told_file {
	struct jit_code_entry entry;
	struct out elf;
	bool is_listed, is_changed;
	struct told_file *next_changed;
	size_t count;
	const struct jf_range **live; /* room for all of them */
	struct told_range members[];
};

/* By range: struct told_range of all files, as tsearch(3) has them. */
static void *told_ranges;

static void tell(uint32_t action, struct jit_code_entry *entry)
{
	__jit_debug_descriptor.relevant = entry;
	__jit_debug_descriptor.action = action;
	__jit_debug_register_code();
	__jit_debug_descriptor.action = JIT_NO_ACTION;
	__jit_debug_descriptor.relevant = NULL;
}

static void put_in_list(struct told_file *file)
{
	struct jit_code_entry *entry = &file->entry, *first = __jit_debug_descriptor.first;

	entry->file = file->elf.bytes;
	entry->file_bytes = file->elf.size;
	entry->prev = NULL;
	entry->next = first;
	if (first)
		first->prev = entry;
	__jit_debug_descriptor.first = entry;
	file->is_listed = true;
	tell(JIT_REGISTER, entry);
}

static void take_from_list(struct told_file *file)
{
	struct jit_code_entry *entry = &file->entry;

	if (!file->is_listed)
		return;
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		__jit_debug_descriptor.first = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
	file->is_listed = false;
	tell(JIT_UNREGISTER, entry);
	jf_out_free(&file->elf);
}

/* The linker's: the header of the object that this code is in, whose flags say what the machine's programs are like. */
extern const Elf64_Ehdr __ehdr_start __attribute__((weak, visibility("hidden")));

/* How many of the file's ranges are there. out: file->live. */
static size_t live_count(struct told_file *file)
{
	size_t live = 0;

	for (size_t i = 0; i < file->count; i++)
		if (file->members[i].range)
			file->live[live++] = file->members[i].range;
	return live;
}

/* Puts a file of the ranges that are there into the list. returns: false for none, and without memory. */
static bool list_file(struct told_file *file)
{
	const Elf64_Ehdr *self = &__ehdr_start;
	size_t live = live_count(file);

	if (!live)
		return false;
	jf_elf_put(&file->elf, file->live, live, self ? self->e_flags : 0);
	if (file->elf.failed) {
		jf_out_free(&file->elf);
		return false;
	}
	put_in_list(file);
	return true;
}

/* ---- which file a range is in ----------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct told_range *x = a, *y = b;

	return (x->range > y->range) - (x->range < y->range);
}

/* returns: NULL for a range that debuggers were not told of. */
static struct told_range *find_range(const struct jf_range *range)
{
	const struct told_range key = {.range = range};
	struct told_range *const *found = tfind(&key, &told_ranges, compare);

	return found ? *found : NULL;
}

static void forget_range(struct told_range *told)
{
	(void)tdelete(told, &told_ranges, compare);
	told->range = NULL;
}

static void free_file(struct told_file *file)
{
	take_from_list(file);
	for (size_t i = 0; i < file->count; i++)
		if (file->members[i].range)
			forget_range(&file->members[i]);
	jf_free(file);
}

/* ---- the consumer ----------------------------------------------------------------------------------------- */

static bool add_file(const struct jf_range *ranges, size_t count)
{
	struct told_file *file =
		jf_calloc(1, sizeof(*file) + count * (sizeof(file->members[0]) + sizeof(file->live[0])));

	if (!file)
		return false;
	file->live = (const struct jf_range **)(void *)(file->members + count);
	for (; file->count < count; file->count++) {
		struct told_range *told = &file->members[file->count];

		*told = (struct told_range){.range = &ranges[file->count], .file = file};
		if (!tsearch(told, &told_ranges, compare))
			break;
	}
	if (file->count == count && list_file(file))
		return true;
	free_file(file);
	return false;
}

/* Distances in one .eh_frame have 32 bits. */
#define FILE_SPAN_MAX (UINT64_C(1) << 30)

/* How many of the ranges can be in one file. */
static size_t file_length(const struct jf_range *ranges, size_t count)
{
	size_t length = 1;

	while (length < count && length < JF_ELF_RANGES_MAX &&
	       ranges[length].start - ranges[0].start + FILE_SPAN_MAX < 2 * FILE_SPAN_MAX)
		length++;
	return length;
}

static enum jf_status begin(struct jf_error *error)
{
	(void)error;
	code_room_keep_apart(true);
	return JF_OK;
}

static size_t added(const struct jf_range *ranges, size_t count)
{
	size_t refused = 0;

	for (size_t at = 0, length; at < count; at += length) {
		length = file_length(ranges + at, count - at);
		refused += add_file(ranges + at, length) ? 0 : length;
	}
	return refused;
}

/* A debugger must not look at code that is gone: a file that has lost some of its ranges is made anew. */
static size_t removed(const struct jf_range *ranges, size_t count)
{
	struct told_file *changed = NULL;
	size_t had = 0;

	for (size_t i = 0; i < count; i++) {
		struct told_range *told = find_range(&ranges[i]);

		if (!told)
			continue;
		had++;
		forget_range(told);
		if (!told->file->is_changed) {
			told->file->is_changed = true;
			told->file->next_changed = changed;
			changed = told->file;
		}
	}
	while (changed) {
		struct told_file *file = changed;

		changed = file->next_changed;
		file->is_changed = false;
		take_from_list(file);
		if (list_file(file))
			continue;
		had += live_count(file); /* none, but without memory */
		free_file(file);
	}
	return had;
}

static void end(void)
{
	while (told_ranges)
		free_file((*(struct told_range **)told_ranges)->file);
	code_room_keep_apart(false);
}

const struct publish_consumer jf_publish_gdb = {begin, added, removed, end};
