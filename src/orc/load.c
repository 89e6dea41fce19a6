/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/orc.h"

#include "base/memory.h"
#include "base/sized.h"

#include <stdlib.h>
#include <string.h>

/* Relocating and sorting: what a module loader does with a table. */

/* ---- relocation ------------------------------------------------------------------------------------ */

/* Elf64_Rela: r_offset, r_info (symbol << 32 | type), r_addend. Elf64_Sym: st_shndx at 6, st_value at 8. */
#define RELA_BYTES   24
#define RELA_INFO    8
#define RELA_ADDEND  16
#define SYM_BYTES    24
#define SYM_SECTION  6
#define SYM_VALUE    8
#define SHN_RESERVED 0xff00

/* The value of word `index` with its relocation. */
static enum jf_status resolve(const struct jf_orc_format *format, const struct jf_orc_relocs *relocs, size_t index,
			      uint64_t ips_address, int32_t *value, struct jf_error *error)
{
	const uint8_t *rela = (const uint8_t *)relocs->rela + index * RELA_BYTES;
	uint64_t info = jf_get_le64(rela + RELA_INFO), at = index * JF_ORC_IP_BYTES, target;
	uint32_t symbol = (uint32_t)(info >> 32);
	const uint8_t *sym;
	unsigned int section;
	int64_t distance;

	if (jf_get_le64(rela) != at)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".rela.orc_unwind_ip", "relocation %zu is not for word %zu",
				    index, index);
	if ((uint32_t)info != format->ip_reloc)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".rela.orc_unwind_ip",
				    "relocation %zu is of type %u, not %u", index, (uint32_t)info, format->ip_reloc);
	if (symbol >= relocs->symtab_bytes / SYM_BYTES)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".rela.orc_unwind_ip",
				    "relocation %zu: there is no symbol %u", index, symbol);
	sym = (const uint8_t *)relocs->symtab + symbol * (size_t)SYM_BYTES;
	section = sym[SYM_SECTION] | (unsigned int)sym[SYM_SECTION + 1] << 8;
	if (section == 0 || section >= SHN_RESERVED || section >= relocs->section_count)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".rela.orc_unwind_ip",
				    "relocation %zu: symbol %u is in no section", index, symbol);
	target = relocs->section_addresses[section] + jf_get_le64(sym + SYM_VALUE) + jf_get_le64(rela + RELA_ADDEND);
	distance = (int64_t)(target - (ips_address + at));
	if (distance < INT32_MIN || distance > INT32_MAX)
		return jf_error_set(error, JF_E_RANGE, ".rela.orc_unwind_ip",
				    "relocation %zu: the code is too far away", index);
	*value = (int32_t)distance;
	return JF_OK;
}

enum jf_status jf_orc_relocate(const struct jf_orc_format *format, const struct jf_orc_relocs *in, void *ips,
			       size_t ips_bytes, uint64_t ips_address, struct jf_error *error)
{
	size_t count = ips_bytes / JF_ORC_IP_BYTES;
	struct jf_orc_relocs read;
	const struct jf_orc_relocs *relocs = &read;
	enum jf_status status;
	int32_t value = 0;

	if (!format || !in || (!ips && ips_bytes))
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = jf_sized_read(&read, sizeof(read), sizeof(read), in, "relocs", error);
	if (status != JF_OK)
		return status;
	if ((!relocs->rela && relocs->rela_bytes) || (!relocs->symtab && relocs->symtab_bytes) ||
	    (!relocs->section_addresses && relocs->section_count))
		return jf_error_set(error, JF_E_INVAL, "", "no table");
	if (ips_bytes % JF_ORC_IP_BYTES || relocs->rela_bytes % RELA_BYTES || relocs->rela_bytes / RELA_BYTES != count)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".rela.orc_unwind_ip", "%zu relocations for %zu words",
				    relocs->rela_bytes / RELA_BYTES, count);
	for (size_t i = 0; i < count; i++) {
		status = resolve(format, relocs, i, ips_address, &value, error);

		if (status != JF_OK)
			return status;
	}
	for (size_t i = 0; i < count; i++)
		if (resolve(format, relocs, i, ips_address, &value, NULL) == JF_OK)
			orc_put_ip((uint8_t *)ips + i * JF_ORC_IP_BYTES, value);
	return JF_OK;
}

/* ---- order ----------------------------------------------------------------------------------------- */

/* No two keys are equal, so the order does not hang on the sorting algorithm. */
static int compare(const void *a, const void *b)
{
	const struct orc_key *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->strong != y->strong)
		return x->strong < y->strong ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

enum jf_status orc_sorted_keys(const struct jf_orc_table *table, struct orc_key **keys)
{
	struct orc_key *list = jf_calloc(table->count + 1, sizeof(*list));

	if (!list)
		return JF_E_NO_MEMORY;
	for (size_t i = 0; i < table->count; i++)
		list[i] = (struct orc_key){jf_orc_address(table, i), (uint32_t)i, !orc_is_weak(table, i)};
	if (!jf_orc_is_sorted(table))
		qsort(list, table->count, sizeof(*list), compare);
	*keys = list;
	return JF_OK;
}

/* Moved by up to the whole table's length, no word may leave its range. */
static bool words_can_move(const struct jf_orc_table *table)
{
	int64_t most = (int64_t)table->count * JF_ORC_IP_BYTES;

	for (size_t i = 0; i < table->count; i++) {
		int64_t value = orc_get_ip(table->ips + i * JF_ORC_IP_BYTES);

		if (value + most > INT32_MAX || value - most < INT32_MIN)
			return false;
	}
	return true;
}

enum jf_status jf_orc_sort(const struct jf_orc_table *table, void *entries, void *ips)
{
	size_t entry_bytes = table ? table->format->entry_bytes : 0;
	struct orc_key *keys;
	enum jf_status status;
	uint8_t *old;

	if (!table || entries != table->entries || ips != table->ips)
		return JF_E_INVAL;
	if (table->count == 0)
		return JF_OK;
	if (!words_can_move(table))
		return JF_E_RANGE;
	old = jf_alloc(table->count * entry_bytes);
	if (!old)
		return JF_E_NO_MEMORY;
	status = orc_sorted_keys(table, &keys);
	if (status == JF_OK) {
		memcpy(old, entries, table->count * entry_bytes);
		for (size_t i = 0; i < table->count; i++) {
			uint64_t from = table->ips_address + JF_ORC_IP_BYTES * (uint64_t)i;

			memcpy((uint8_t *)entries + i * entry_bytes, old + keys[i].index * entry_bytes, entry_bytes);
			orc_put_ip((uint8_t *)ips + i * JF_ORC_IP_BYTES, (int32_t)(int64_t)(keys[i].address - from));
		}
		jf_free(keys);
	}
	jf_free(old);
	return status;
}
