/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of a virtual machine: loads BPF programs into its kernel and prints what the kernel's
 * JIT made of them, as bench/size/captured.h reads it, each line behind "JF: ". Then the machine goes off.
 */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAPS_MAX      16
#define INSNS_MAX     16384
#define CODE_MAX      (1 << 20)
#define FUNCTIONS_MAX 64

struct map {
	int fd;
	uint32_t id;
	uint64_t object; /* the kernel's addresses */
	uint64_t value;
};

static struct bpf_insn insns[INSNS_MAX];
static uint8_t code[CODE_MAX];
static uint64_t starts[FUNCTIONS_MAX];
static uint32_t lengths[FUNCTIONS_MAX];
static char log_text[1 << 20];

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t address(const void *pointer)
{
	return (uintptr_t)pointer;
}

static int create_map(const struct job_map *m)
{
	union bpf_attr attr = {0};

	attr.map_type = m->type;
	attr.key_size = m->key_bytes;
	attr.value_size = m->value_bytes;
	attr.max_entries = m->max_entries;
	/* libbpf makes variables so, which user space may map: their value starts a page. */
	attr.map_flags = m->map_flags | (m->is_data ? BPF_F_MMAPABLE : 0);
	return bpf(BPF_MAP_CREATE, &attr);
}

/* With a log where that fails. */
static int load(uint32_t type, const void *body, uint32_t count)
{
	union bpf_attr attr = {0};
	int program;

	attr.prog_type = type;
	attr.insns = address(body);
	attr.insn_cnt = count;
	attr.license = address("GPL");
	program = bpf(BPF_PROG_LOAD, &attr);
	if (program >= 0)
		return program;
	attr.log_buf = address(log_text);
	attr.log_size = sizeof(log_text);
	attr.log_level = 1;
	return bpf(BPF_PROG_LOAD, &attr);
}

/* ---- where the kernel has things ---------------------------------------------------------------------- */

/*
 * What lddw gives for a map: a program stores it into the only element of another map. An array of programs
 * is for programs of one type, the first's that uses it.
 */
static uint64_t probe(const struct map *map, uint8_t src, uint32_t type)
{
	static uint8_t packet[64];
	const struct job_map result_map = {BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0, 0};
	int result = create_map(&result_map), program;
	struct bpf_insn probe_insns[] = {
		{BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0},
		{BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0},
		{BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4},
		{BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, result},
		{0, 0, 0, 0, 0},
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0},
		{BPF_LD | BPF_IMM | BPF_DW, 1, src, 0, map->fd},
		{0, 0, 0, 0, 0},
		{BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	union bpf_attr attr = {0};
	uint64_t value = 0;
	uint32_t key = 0;

	program = load(type, probe_insns, sizeof(probe_insns) / sizeof(probe_insns[0]));
	attr.test.prog_fd = (uint32_t)program;
	attr.test.data_in = address(packet);
	attr.test.data_size_in = sizeof(packet);
	if (program < 0 || bpf(BPF_PROG_TEST_RUN, &attr) != 0)
		printf("JF: fault probe: %s %s\n", strerror(errno), log_text);
	attr = (union bpf_attr){0};
	attr.map_fd = (uint32_t)result;
	attr.key = address(&key);
	attr.value = address(&value);
	bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	close(program);
	close(result);
	return value;
}

static bool open_map(struct map *map, const struct job_map *m, uint32_t type)
{
	struct bpf_map_info info = {0};
	union bpf_attr attr = {0};

	map->fd = create_map(m);
	attr.info.bpf_fd = (uint32_t)map->fd;
	attr.info.info = address(&info);
	attr.info.info_len = sizeof(info);
	if (map->fd < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) != 0)
		return false;
	map->id = info.id;
	map->object = probe(map, BPF_PSEUDO_MAP_FD, type);
	map->value = m->is_data ? probe(map, BPF_PSEUDO_MAP_VALUE, type) : 0;
	return true;
}

/* Calls of C code are told as distances from this symbol. */
static void print_call_base(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], name[256];
	uint64_t value;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%" SCNx64 " %*c %255s", &value, name) == 2 && strcmp(name, "__bpf_call_base") == 0)
			printf("JF: call-base %" PRIx64 "\n", value);
	if (file)
		fclose(file);
}

/* ---- one program ---------------------------------------------------------------------------------------- */

static void print_hex(const char *word, const void *bytes, size_t count)
{
	printf("JF: %s ", word);
	for (size_t i = 0; i < count; i++)
		printf("%02x", ((const uint8_t *)bytes)[i]);
	printf("\n");
}

static void name_maps(struct map *maps, uint32_t map_count, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++) {
		uint8_t src = insns[i].src_reg;

		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (src == BPF_PSEUDO_MAP_FD || src == BPF_PSEUDO_MAP_VALUE)
			insns[i].imm = (uint32_t)insns[i].imm < map_count ? maps[insns[i].imm].fd : -1;
		i++;
	}
}

/* The dump has map numbers for addresses: back to what the JIT saw. */
static void address_maps(const struct map *maps, uint32_t map_count, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++) {
		uint8_t src = insns[i].src_reg;
		uint64_t value = 0;

		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (src == BPF_PSEUDO_MAP_FD || src == BPF_PSEUDO_MAP_VALUE) {
			for (uint32_t k = 0; k < map_count; k++)
				if (maps[k].id == (uint32_t)insns[i].imm)
					value = src == BPF_PSEUDO_MAP_FD ? maps[k].object :
									   maps[k].value + (uint32_t)insns[i + 1].imm;
			insns[i].src_reg = 0;
			insns[i].imm = (int32_t)value;
			insns[i + 1].imm = (int32_t)(value >> 32);
		}
		i++;
	}
}

static void print_program(const char *name, int program, const struct map *maps, uint32_t map_count)
{
	struct bpf_prog_info info = {0};
	union bpf_attr attr = {0};
	uint8_t *from = code;

	info.xlated_prog_insns = address(insns);
	info.xlated_prog_len = sizeof(insns);
	info.jited_prog_insns = address(code);
	info.jited_prog_len = sizeof(code);
	info.jited_ksyms = address(starts);
	info.nr_jited_ksyms = FUNCTIONS_MAX;
	info.jited_func_lens = address(lengths);
	info.nr_jited_func_lens = FUNCTIONS_MAX;
	attr.info.bpf_fd = (uint32_t)program;
	attr.info.info = address(&info);
	attr.info.info_len = sizeof(info);
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) != 0 || info.jited_prog_len == 0 || info.xlated_prog_len == 0) {
		printf("JF: fault %s: %s, %u bytes of code\n", name, strerror(errno), info.jited_prog_len);
		return;
	}
	address_maps(maps, map_count, info.xlated_prog_len / 8);
	printf("JF: program %s\n", name);
	print_hex("bpf", insns, info.xlated_prog_len);
	for (uint32_t i = 0; i < info.nr_jited_func_lens; i++) {
		printf("JF: at %" PRIx64 "\n", (uint64_t)starts[i]);
		print_hex("code", from, lengths[i]);
		from += lengths[i];
	}
}

/* returns: the next job. */
static const struct job *run(const struct job *job)
{
	const struct job_map *job_maps = (const void *)(job + 1);
	const struct bpf_insn *job_insns = (const void *)(job_maps + job->map_count);
	struct map maps[MAPS_MAX] = {0};
	int program = -1;

	if (job->map_count > MAPS_MAX || job->insn_count > INSNS_MAX) {
		printf("JF: fault %s: too large\n", job->name);
		return (const void *)(job_insns + job->insn_count);
	}
	for (uint32_t i = 0; i < job->map_count; i++)
		if (!open_map(&maps[i], &job_maps[i], job->type))
			printf("JF: fault %s: map %u: %s\n", job->name, i, strerror(errno));
	memcpy(insns, job_insns, job->insn_count * sizeof(*insns));
	name_maps(maps, job->map_count, job->insn_count);
	program = load(job->type, insns, job->insn_count);
	if (program < 0) {
		size_t length = strlen(log_text);

		printf("JF: fault %s: %s: %s\n", job->name, strerror(errno),
		       log_text + (length > 600 ? length - 600 : 0));
	} else {
		print_program(job->name, program, maps, job->map_count);
		close(program);
	}
	for (uint32_t i = 0; i < job->map_count; i++)
		close(maps[i].fd);
	return (const void *)(job_insns + job->insn_count);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file) {
		fputs(text, file);
		fclose(file);
	}
}

int main(void)
{
	static uint64_t jobs[1 << 17]; /* 1 MiB */
	FILE *file = fopen("/jobs", "rb");
	size_t size = file ? fread(jobs, 1, sizeof(jobs), file) : 0;
	const struct job *job = (const void *)jobs;
	struct utsname uts;

	mount("none", "/proc", "proc", 0, NULL);
	write_text("/proc/sys/kernel/kptr_restrict", "0");
	write_text("/proc/sys/net/core/bpf_jit_enable", "1");
	write_text("/proc/sys/net/core/bpf_jit_harden", "0");
	uname(&uts);
	printf("\nJF: kernel %s %s\n", uts.release, uts.machine);
	print_call_base();
	while ((const uint8_t *)job < (const uint8_t *)jobs + size)
		job = run(job);
	printf("JF: end\n");
	fflush(stdout);
	sleep(1);
	reboot(RB_POWER_OFF);
	return 0;
}
