/* SPDX-License-Identifier: BSD-2-Clause */
#include "../support/image_range.h"
#include "bpf.h"
#include "check.h"
#include "conventions.h"

#include <jitframe/backend.h>
#include <jitframe/backtrace.h>
#include <jitframe/compile.h>
#include <jitframe/image.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Captured stacks of every convention of every architecture, on this one: compiled for an address, with frames as the
 * compiler's slots say, walked and printed.
 *
 *     below:  line 20: call of a kfunc    <- the walk starts behind the call
 *     main:   line 10: call of below      boundary
 *     entry:  a range by hand
 */
#define CODE   UINT64_C(0x4000000)
#define ENTRY  UINT64_C(0x5000000)
#define TOP    UINT64_C(0x8000) /* main's CFA */
#define WORDS  512
#define BOTTOM (TOP - 8 * (uint64_t)WORDS)

static const struct jf_insn main_insns[] = {MOV_K(6, 66), MOV_K(9, 99), CALL_FUNCTION(1),
					    ADD_X(0, 6),  ADD_X(0, 9),  EXIT};
static const struct jf_insn below_insns[] = {MOV_K(6, 6), CALL_KFUNC(0), ADD_X(0, 6), EXIT};
static const struct jf_source_line main_lines[] = {{.insn = 0, .line = 9, .file = "two.c"},
						   {.insn = 2, .line = 10, .file = "two.c", .text = "  below();"},
						   {.insn = 3, .line = 11, .file = "two.c"}};
static const struct jf_source_line below_lines[] = {{.insn = 1, .line = 20, .file = "two.c"}};

struct captured {
	uint64_t word[WORDS + 1]; /* [BOTTOM, TOP + 8) */
	struct jf_regs regs;      /* as below has them */
	uint64_t sp, fp;          /* of the frame that was made last */
	uint64_t pc[2];           /* below's, main's */
};

static enum jf_status read_captured(void *arg, uint64_t address, uint64_t *value)
{
	const struct captured *stack = arg;

	*value = stack->word[(address - BOTTOM) / 8];
	return JF_OK;
}

static uint64_t at(uint64_t base, int64_t off)
{
	return base + (uint64_t)off;
}

/* A frame below the last: its slots get what they hold in a run. */
static void push(struct captured *stack, const struct jf_frame *frame, uint64_t return_address)
{
	const struct jf_backend *backend = frame->conv->backend;
	uint64_t cfa = stack->sp;

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];
		uint64_t *word = &stack->word[(at(cfa, slot->off_from_cfa) - BOTTOM) / 8];

		if (slot->kind == JF_SLOT_RETURN)
			*word = return_address;
		else if (slot->kind == JF_SLOT_SAVE && slot->reg == backend->fp)
			*word = stack->fp;
		else if (slot->kind == JF_SLOT_SAVE)
			*word = stack->regs.value[slot->reg];
	}
	stack->sp = cfa - frame->size_bytes;
	stack->fp = at(cfa, frame->conv->fp_off_from_cfa);
}

static const struct jf_program *program(void)
{
	static const struct jf_source_lines lines[] = {{main_lines, COUNT_OF(main_lines)},
						       {below_lines, COUNT_OF(below_lines)}};
	static const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("below", below_insns)};
	static const struct jf_import throws = {.name = "bpf_throw", .address = CODE + 0x100000, .throws = true};
	static const struct jf_program two = {.size = sizeof(two),
					      .functions = functions,
					      .function_count = 2,
					      .callback = -1,
					      .kfuncs = &throws,
					      .kfunc_count = 1,
					      .lines = lines};

	return &two;
}

static void capture(struct captured *stack, const struct jf_image *image)
{
	const struct jf_image_function *main = jf_image_function_at(image, 0), *below = jf_image_function_at(image, 1);
	const uint8_t *bpf_reg = image->conv->bpf_reg;

	memset(stack, 0, sizeof(*stack));
	stack->sp = TOP;
	stack->fp = TOP;
	stack->pc[0] = image->address + below->start + below->insn_off[2];
	stack->pc[1] = image->address + main->start + main->insn_off[3];
	push(stack, main->frame, ENTRY + 8);
	stack->regs.value[bpf_reg[JF_BPF_R6]] = 66;
	stack->regs.value[bpf_reg[JF_BPF_R9]] = 99;
	push(stack, below->frame, stack->pc[1]);
	stack->regs.value[bpf_reg[JF_BPF_R6]] = 6;
	stack->regs.value[image->conv->backend->sp] = stack->sp;
	stack->regs.value[image->conv->backend->fp] = stack->fp;
}

static void print(const struct jf_convention *conv, struct captured *stack, char *text, size_t capacity)
{
	const struct jf_backtrace_opts opts = {
		.size = sizeof(opts), .flags = JF_BACKTRACE_REGISTERS | JF_BACKTRACE_SOURCE, .frames_max = 3};
	const struct jf_memory memory = {
		.size = sizeof(memory), .low = BOTTOM, .high = TOP + 8, .read = read_captured, .arg = stack};
	int fd = memfd_create("backtrace", 0);
	struct jf_walk walk;
	ssize_t bytes;

	CHECK_STATUS(jf_walk_start(&walk, conv->backend, &memory, &stack->regs, stack->pc[0], true), JF_OK, "%s/%s",
		     conv->backend->name, conv->name);
	CHECK_STATUS(jf_backtrace_print_walk(&walk, fd, &opts), JF_END, "%s/%s", conv->backend->name, conv->name);
	jf_walk_end(&walk);
	bytes = pread(fd, text, capacity - 1, 0);
	text[bytes < 0 ? 0 : bytes] = '\0';
	close(fd);
}

static void check_convention(const struct jf_convention *conv)
{
	static uint8_t code[65536];
	struct captured stack;
	struct jf_range ranges[3];
	struct jf_image *image;
	char text[1024], wanted[1024];

	if (!jf_convention_supports(conv, JF_CAP_EXCEPTIONS))
		return;
	CHECK_STATUS(jf_compile(conv, program(), NULL, code, sizeof(code), CODE, &image, NULL), JF_OK, "%s/%s",
		     conv->backend->name, conv->name);
	for (uint32_t i = 0; i < 2; i++)
		ranges[i] = image_range(image, i);
	ranges[0].callback = CODE; /* nothing lands */
	ranges[2] = (struct jf_range){.size = sizeof(ranges[2]),
				      .kind = JF_RANGE_ENTRY,
				      .start = ENTRY,
				      .end = ENTRY + 64,
				      .name = "entry",
				      .backend = conv->backend};
	cr_assert_eq(jf_code_map_add_all(ranges, 3, NULL), JF_OK);
	capture(&stack, image);
	print(conv, &stack, text, sizeof(text));
	snprintf(wanted, sizeof(wanted),
		 "  #0   subprogram below+0x%x insn 1 at two.c:20\n"
		 "         R6=0x6 R7=0x0 R8=0x0 R9=0x63\n"
		 "> #1   boundary   main+0x%x insn 2 at two.c:10\n"
		 "         below();\n"
		 "         R6=0x42 R7=0x0 R8=0x0 R9=0x63\n"
		 "  #2   entry      entry+0x8\n",
		 (unsigned int)(stack.pc[0] - ranges[1].start), (unsigned int)(stack.pc[1] - ranges[0].start));
	CHECK(strcmp(text, wanted) == 0, "%s/%s:\n%s\nnot\n%s", conv->backend->name, conv->name, text, wanted);
	cr_assert_eq(jf_code_map_remove_all(ranges, 3), JF_OK);
	jf_image_free(image);
}

Test(backtrace_archs, captured_stacks)
{
	unsigned int count = 0;

	for (; convention_at(count); count++)
		check_convention(convention_at(count));
	cr_assert_geq(count, 9);
}
