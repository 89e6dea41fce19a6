/* SPDX-License-Identifier: BSD-2-Clause */
#include "dpdk.h"

#include "measure.h"

#ifdef BENCH_DPDK
#include <rte_bpf.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <string.h>

struct dpdk_program *dpdk_load(const struct jf_insn *insns, uint32_t count, size_t data_bytes, const char **reason)
{
	const struct rte_bpf_prm prm = {
		.ins = (const struct ebpf_insn *)(const void *)insns,
		.nb_ins = count,
		.prog_arg = {.type = data_bytes ? RTE_BPF_ARG_PTR : RTE_BPF_ARG_RAW,
			     .size = data_bytes ? data_bytes : sizeof(uint64_t)},
	};
	struct rte_bpf *bpf = rte_bpf_load(&prm);
	struct rte_bpf_jit jit;

	*reason = bpf ? "there is no code" : rte_strerror(rte_errno);
	if (bpf && (rte_bpf_get_jit(bpf, &jit) || !jit.func)) {
		rte_bpf_destroy(bpf);
		return NULL;
	}
	return (struct dpdk_program *)(void *)bpf;
}

uint64_t (*dpdk_code(const struct dpdk_program *program))(void *arg)
{
	struct rte_bpf_jit jit;

	if (rte_bpf_get_jit((const struct rte_bpf *)(const void *)program, &jit))
		bench_fail("DPDK has no code");
	return jit.func;
}

void dpdk_unload(struct dpdk_program *program)
{
	rte_bpf_destroy((struct rte_bpf *)(void *)program);
}

/* Its messages about what it refuses are not asked for. */
static __attribute__((constructor)) void be_silent(void)
{
	rte_log_set_global_level(RTE_LOG_EMERG);
}
#else
struct dpdk_program *dpdk_load(const struct jf_insn *insns, uint32_t count, size_t data_bytes, const char **reason)
{
	static bool said;

	(void)insns, (void)count, (void)data_bytes;
	if (!said)
		bench_missing("DPDK: librte_bpf, rte_bpf.h");
	said = true;
	*reason = "missing";
	return NULL;
}

uint64_t (*dpdk_code(const struct dpdk_program *program))(void *arg)
{
	(void)program;
	return NULL;
}

void dpdk_unload(struct dpdk_program *program)
{
	(void)program;
}
#endif
