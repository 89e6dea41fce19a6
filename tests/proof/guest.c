/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-prove-guest-ARCH: executes pieces of code with registers of the caller's choice. It reads records from standard
 * input and writes an answer for each shot to standard output, both in words of 8 bytes in the byte order of this
 * architecture:
 *
 *     1 ADDRESS SIZE              maps code, filled with traps
 *     2 ADDRESS SIZE BYTES...     puts code there; BYTES fill whole words
 *     3 ADDRESS SIZE              maps memory for loads and stores
 *     4 ENTRY WATCH REGISTER...   fires: every register by id; WATCH: whether to look for changes of memory
 *         -> SIGNAL PC REGISTER... COUNT (ADDRESS VALUE)...    words of memory that have changed, which change back
 *
 * A word of memory at an address holds what scatter() makes of it. An instruction that an emulator translates on the
 * way is in the emulator's log. Exits with 1 where the system refuses something.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../effects/shot.h"
#include "memory.h"

#define REGIONS_MAX 8
#define TRAP_MAX    4

struct region {
	uint64_t address, size;
	bool is_code;
};

static const struct jf_backend *host;
static struct region regions[REGIONS_MAX];
static unsigned int region_count;
static uint8_t trap[TRAP_MAX];
static uint8_t *start;         /* code that is just a trap */
static uint64_t behind_a_trap; /* what a signal's pc is behind a trap's address */

static void quit(const char *what)
{
	fprintf(stderr, "jf-prove-guest: %s\n", what);
	exit(1);
}

static uint64_t word(void)
{
	uint64_t value;

	if (fread(&value, sizeof(value), 1, stdin) != 1)
		quit("a record ends in its middle");
	return value;
}

static void put(uint64_t value)
{
	if (fwrite(&value, sizeof(value), 1, stdout) != 1)
		quit("nobody reads the answers");
}

/* ---- memory ------------------------------------------------------------------------------------- */

static void *map(uint64_t address, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (address ? MAP_FIXED_NOREPLACE : 0);
	void *at = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (at == MAP_FAILED || (address && at != (void *)(uintptr_t)address))
		quit("an address is not free");
	return at;
}

static void fill_with_traps(uint8_t *at, size_t size)
{
	for (size_t i = 0; i + host->insn_align <= size; i += host->insn_align)
		memcpy(at + i, trap, host->insn_align);
}

static void add_region(bool is_code)
{
	struct region region = {.address = word(), .size = word(), .is_code = is_code};
	uint8_t *at = map(region.address, region.size);

	if (region_count == REGIONS_MAX)
		quit("too many regions");
	regions[region_count++] = region;
	if (is_code) {
		fill_with_traps(at, region.size);
		return;
	}
	for (uint64_t i = 0; i < region.size; i += sizeof(uint64_t))
		*word_at(region.address + i) = scatter(region.address + i);
}

static void put_code(void)
{
	uint64_t address = word(), size = word();
	uint8_t bytes[sizeof(uint64_t)];

	for (uint64_t i = 0; i < size; i += sizeof(bytes)) {
		if (fread(bytes, sizeof(bytes), 1, stdin) != 1)
			quit("code ends in its middle");
		memcpy((uint8_t *)(uintptr_t)address + i, bytes, size - i < sizeof(bytes) ? size - i : sizeof(bytes));
	}
}

/* In front of the first shot. */
static void seal(void)
{
	static bool sealed;

	for (unsigned int i = 0; !sealed && i < region_count; i++) {
		uint8_t *at = (uint8_t *)(uintptr_t)regions[i].address;

		if (!regions[i].is_code)
			continue;
		__builtin___clear_cache((char *)at, (char *)at + regions[i].size);
		if (mprotect(at, regions[i].size, PROT_READ | PROT_EXEC))
			quit("code is not to be executed");
	}
	sealed = true;
}

static uint64_t changes(bool tell)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < region_count; i++) {
		uint64_t address = regions[i].address, end = address + regions[i].size;

		for (; !regions[i].is_code && address < end; address += sizeof(uint64_t)) {
			if (*word_at(address) == scatter(address))
				continue;
			count++;
			if (!tell)
				continue;
			put(address);
			put(*word_at(address));
			*word_at(address) = scatter(address);
		}
	}
	return count;
}

/* ---- shots -------------------------------------------------------------------------------------- */

static void init(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct jf_code code;
	struct shot shot = {.entry = 0};

	host = jf_backend_host();
	if (!host || !host->emit_trap || !shot_init(host))
		quit("nothing to execute on");
	jf_code_init(&code, trap, sizeof(trap), 0, NULL, 0);
	host->emit_trap(&code);
	if (jf_code_finish(&code) != JF_OK || code.size != host->insn_align)
		quit("no trap");
	start = map(0, page);
	fill_with_traps(start, page);
	__builtin___clear_cache((char *)start, (char *)start + page);
	if (mprotect(start, page, PROT_READ | PROT_EXEC))
		quit("code is not to be executed");
	shot.entry = (uint64_t)(uintptr_t)start;
	shot_fire(start, &shot);
	behind_a_trap = shot.pc - shot.entry;
}

static void fire(void)
{
	struct shot shot = {.entry = word()};
	bool watch = word();

	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		shot.in.value[reg] = word();
	seal();
	shot_fire(start, &shot);
	put((uint64_t)shot.signal);
	put(shot.signal == SIGTRAP ? shot.pc - behind_a_trap : shot.pc);
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		put(shot.out.value[reg]);
	put(watch ? changes(false) : 0);
	if (watch)
		changes(true);
}

int main(void)
{
	uint64_t kind;

	init();
	while (fread(&kind, sizeof(kind), 1, stdin) == 1) {
		switch (kind) {
		case 1: add_region(true); break;
		case 2: put_code(); break;
		case 3: add_region(false); break;
		case 4: fire(); break;
		default: quit("a record of no kind");
		}
	}
	return fflush(stdout) ? 1 : 0;
}
