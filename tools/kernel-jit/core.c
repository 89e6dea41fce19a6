/* SPDX-License-Identifier: BSD-2-Clause */
#include "core.h"

#include <sys/mman.h>

/* What a JIT calls of the kernel's core while it compiles, for one program that never runs. */

struct placed *core_placed;
u64 core_at, core_base = (u64)kernel_jit_base;
struct core_arena core_arena;
u32 core_out_args;
struct core_model *core_models;
u32 core_model_count;

struct mutex text_mutex;
int bpf_jit_enable = 1;
u64 kernel_jit_features = FEATURES_DEFAULT;

/* ---- memory for code ------------------------------------------------------------------------------------ */

#define FUNCTION_ALIGN 64

static u64 place(u32 size)
{
	u64 address = core_at ? core_at : core_base + sizeof(struct bpf_binary_header);

	if (!core_at)
		core_base = ALIGN(address + size, FUNCTION_ALIGN);
	core_placed->address = address;
	core_placed->size = size;
	return address;
}

/* JITs that write code where it will run: the address has to be one of this process. */
struct bpf_binary_header *bpf_jit_binary_alloc(unsigned int size, u8 **image, unsigned int alignment,
					       bpf_jit_fill_hole_t fill)
{
	size_t whole = ALIGN(size + sizeof(struct bpf_binary_header), PAGE_SIZE);
	void *wish = (void *)ALIGN(core_base, PAGE_SIZE);
	struct bpf_binary_header *header =
		mmap(wish, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	(void)alignment;
	if (header != wish) {
		KERNEL_MESSAGE("no memory at %p, where the code is to stand\n", wish);
		exit(1);
	}
	fill(header, (unsigned int)whole);
	header->size = (u32)whole;
	*image = header->image;
	core_base = (u64)wish + whole;
	*core_placed = (struct placed){.address = (u64)header->image, .bytes = header->image, .size = size};
	return header;
}

void bpf_jit_binary_free(struct bpf_binary_header *header)
{
	(void)header;
}

int bpf_jit_binary_lock_ro(struct bpf_binary_header *header)
{
	(void)header;
	return 0;
}

/* JITs that write a copy: of the address where the code will run only the number counts. */
struct bpf_binary_header *bpf_jit_binary_pack_alloc(unsigned int size, u8 **ro_image, unsigned int alignment,
						    struct bpf_binary_header **rw_header, u8 **rw_image,
						    bpf_jit_fill_hole_t fill PACK_CLASSIC)
{
	u32 whole = ALIGN(size + (u32)sizeof(struct bpf_binary_header), FUNCTION_ALIGN);
	struct bpf_binary_header *header = aligned_alloc(FUNCTION_ALIGN, whole);
	u64 address = place(size);

	(void)alignment;
	if (!header)
		return NULL;
	fill(header, whole);
	header->size = whole;
	*rw_header = header;
	*rw_image = header->image;
	*ro_image = (u8 *)address;
	core_placed->bytes = header->image;
	return (struct bpf_binary_header *)(address - sizeof(struct bpf_binary_header));
}

int bpf_jit_binary_pack_finalize(struct bpf_binary_header *ro, struct bpf_binary_header *rw)
{
	(void)ro;
	(void)rw;
	return 0;
}

void bpf_jit_binary_pack_free(struct bpf_binary_header *ro, struct bpf_binary_header *rw)
{
	(void)ro;
	(void)rw;
}

/* Of a function that was compiled: only JITs that give up or free ask. */
struct bpf_binary_header *bpf_jit_binary_pack_hdr(const struct bpf_prog *prog)
{
	return (struct bpf_binary_header *)((u64)prog->bpf_func - sizeof(struct bpf_binary_header));
}

/* ---- what instructions refer to ------------------------------------------------------------------------- */

int bpf_jit_get_func_addr(const struct bpf_prog *prog, const struct bpf_insn *insn, bool extra_pass, u64 *address,
			  bool *fixed)
{
	*fixed = insn->src_reg != BPF_PSEUDO_CALL;
	if (*fixed)
		*address = (u64)__bpf_call_base + (s64)insn->imm;
	else if (!extra_pass)
		*address = 0; /* not known before every function was compiled once */
	else if (prog->aux->func && insn->off >= 0 && (u32)insn->off < prog->aux->real_func_cnt)
		*address = (u64)prog->aux->func[insn->off]->bpf_func;
	else
		return -EINVAL;
	return 0;
}

const struct btf_func_model *bpf_jit_find_kfunc_model(const struct bpf_prog *prog, const struct bpf_insn *insn)
{
	static const struct btf_func_model none;

	(void)prog;
	for (u32 i = 0; i < core_model_count; i++)
		if (core_models[i].imm == insn->imm)
			return &core_models[i].model;
	return &none;
}

u64 bpf_arena_get_kern_vm_start(struct bpf_arena *arena)
{
	return arena ? core_arena.kernel_base : 0;
}

u64 bpf_arena_get_user_vm_start(struct bpf_arena *arena)
{
	return arena ? core_arena.user_base : 0;
}

u16 bpf_out_stack_arg_cnt(const struct bpf_verifier_env *env, const struct bpf_prog *prog)
{
	(void)env;
	(void)prog;
	return (u16)core_out_args;
}

bool bpf_insn_is_indirect_target(const struct bpf_verifier_env *env, const struct bpf_prog *prog, int index)
{
	(void)env;
	(void)prog;
	(void)index;
	return false;
}

void bpf_prog_update_insn_ptrs(struct bpf_prog *prog, u32 *offsets, void *image)
{
	(void)prog;
	(void)offsets;
	(void)image;
}

/*
 * What a JIT's list of offsets begins with, by `offsets` of jit.conf. Most lists begin with the start of the second
 * instruction, and have that of the first one in front. Some have ends alone, so that the first start is 0 here.
 */
enum { OFFSETS_END = -1, OFFSETS_FIRST, OFFSETS_SECOND };

void bpf_prog_fill_jited_linfo(struct bpf_prog *prog, const u32 *offsets)
{
	u32 count = prog->len + 1;

	free(core_placed->offsets);
	core_placed->offsets = calloc(count, sizeof(*offsets));
	core_placed->offset_count = core_placed->offsets ? count : 0;
	if (!core_placed->offsets)
		return;
	if (KERNEL_JIT_OFFSETS == OFFSETS_END)
		memcpy(core_placed->offsets + 1, offsets, (count - 1) * sizeof(*offsets));
	else
		memcpy(core_placed->offsets, offsets - KERNEL_JIT_OFFSETS, count * sizeof(*offsets));
}

/* ---- what a JIT says of itself, unless it does not -------------------------------------------------------- */

#define SAYS_NO(name)          \
	__weak bool name(void) \
	{                      \
		return false;  \
	}
SAYS_NO(bpf_jit_supports_far_kfunc_call)
SAYS_NO(bpf_jit_supports_subprog_tailcalls)
SAYS_NO(bpf_jit_supports_exceptions)
SAYS_NO(bpf_jit_supports_private_stack)
SAYS_NO(bpf_jit_supports_timed_may_goto)
SAYS_NO(bpf_jit_needs_zext)

__weak bool bpf_jit_inlines_helper_call(s32 number)
{
	(void)number;
	return false;
}
