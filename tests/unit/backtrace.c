/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/text.h"
#include "walk_stack.h"

#include <jitframe/backtrace.h>

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* The text of backtraces, to the byte: of the stack of walk_stack.h, with lines and a boundary. */

static const uint32_t leaf_insns[] = {4, 8, 12, 16};
static const struct jf_source_line leaf_lines[] = {
	{.insn = 0, .line = 7, .file = "/src/of/it/two.c", .text = "\treturn f(x);"},
	{.insn = 2, .line = 9, .file = "/src/of/it/two.c"},
};
static const uint32_t middle_insns[] = {0, 8, 32};
static struct jf_range shown[4];

static void add_shown(void)
{
	memcpy(shown, ranges, sizeof(shown));
	shown[0].insn_off = leaf_insns;
	shown[0].insn_count = JF_COUNT_OF(leaf_insns) - 1;
	shown[0].lines = leaf_lines;
	shown[0].line_count = JF_COUNT_OF(leaf_lines);
	shown[1].insn_off = middle_insns;
	shown[1].insn_count = JF_COUNT_OF(middle_insns) - 1;
	shown[2].kind = JF_RANGE_BOUNDARY;
	shown[2].callback = 0x100;
	cr_assert_eq(jf_code_map_add_all(shown, 4, NULL), JF_OK);
}

TestSuite(backtrace, .init = add_shown);

/* What a call prints, and what it returns. */
static char printed[4096];
static enum jf_status returned;

static void begin(int *fd)
{
	*fd = memfd_create("backtrace", 0);
	cr_assert_geq(*fd, 0);
}

static void end(int fd)
{
	ssize_t bytes = pread(fd, printed, sizeof(printed) - 1, 0);

	cr_assert_geq(bytes, 0);
	printed[bytes] = '\0';
	close(fd);
}

static void print_from(struct stack *stack, uint64_t pc, const struct jf_backtrace_opts *opts)
{
	int fd;

	begin(&fd);
	cr_assert_eq(start(stack, pc, true), JF_OK);
	returned = jf_backtrace_print_walk(&walk, fd, opts);
	jf_walk_end(&walk);
	end(fd);
}

static void print_flags(uint32_t flags)
{
	const struct jf_backtrace_opts opts = {.size = sizeof(opts), .flags = flags};
	struct stack stack = good;

	print_from(&stack, 0x10c, &opts);
}

Test(backtrace, lines)
{
	struct stack stack = good;

	print_from(&stack, 0x10c, NULL);
	/* Nothing says how to go on from the toy's entry. */
	cr_assert_str_eq(printed, "  #0   subprogram leaf+0xc insn 1 at two.c:7\n"
				  "  #1   subprogram middle+0x10 insn 1\n"
				  "> #2   boundary   outer+0x20\n"
				  "  #3   entry      entry+0x4\n"
				  "  the walk ends here: no unwind row covers the address\n");
	cr_assert_eq(returned, JF_E_NO_ROW, "%s", jf_status_name(returned));
}

Test(backtrace, addresses)
{
	print_flags(JF_BACKTRACE_ADDRESSES);
	cr_assert(strstr(printed, "  #1   subprogram middle+0x10 insn 1 pc=0x210 sp=0x9008 fp=0x9038\n"), "%s",
		  printed);
}

/* The call is of line 7, although the return address is the first byte of line 9. */
Test(backtrace, source)
{
	print_flags(JF_BACKTRACE_SOURCE);
	cr_assert(strstr(printed, "leaf+0xc insn 1 at two.c:7\n         return f(x);\n  #1 "), "%s", printed);
}

/* Of BPF functions alone; the toy's R6 is s0, which middle has saved, R9 is s3. */
Test(backtrace, registers)
{
	const uint8_t *reg = toy_backend.conventions[0]->bpf_reg;
	char wanted[256];

	cr_assert_eq(reg[JF_BPF_R6], TOY_S0);
	print_flags(JF_BACKTRACE_REGISTERS);
	snprintf(wanted, sizeof(wanted), "outer+0x20\n         R6=0x5050 R7=0x%x R8=0x%x R9=0x%x\n  #3 ",
		 0xc0de00 + reg[JF_BPF_R7], 0xc0de00 + reg[JF_BPF_R8], 0xc0de00 + reg[JF_BPF_R9]);
	cr_assert(strstr(printed, wanted), "%s is not in\n%s", wanted, printed);
	cr_assert_null(strstr(printed, "entry+0x4\n         R6"), "%s", printed);
}

Test(backtrace, no_more_than_asked_for)
{
	const struct jf_backtrace_opts opts = {.size = sizeof(opts), .frames_max = 2};
	struct stack stack = good;

	print_from(&stack, 0x10c, &opts);
	cr_assert_str_eq(printed, "  #0   subprogram leaf+0xc insn 1 at two.c:7\n"
				  "  #1   subprogram middle+0x10 insn 1\n");
	cr_assert_eq(returned, JF_END);
}

/* A frame that nothing describes is a frame, and the last one. */
Test(backtrace, nowhere)
{
	struct stack stack = good;

	stack.word[4] = 0x5000;
	print_from(&stack, 0x10c, NULL);
	cr_assert_str_eq(printed, "  #0   subprogram leaf+0xc insn 1 at two.c:7\n"
				  "  #1   subprogram middle+0x10 insn 1\n"
				  "  #2   unknown    0x5000\n"
				  "  the walk ends here: no unwind row covers the address (0x5000)\n");
	cr_assert_eq(returned, JF_E_NO_ROW);
}

Test(backtrace, unreadable)
{
	struct jf_memory memory;
	struct jf_regs regs = start_regs();
	struct stack stack = good;
	int fd;

	memory = memory_of(&stack);
	memory.high = AT(2);
	begin(&fd);
	cr_assert_eq(start_with(&toy_backend, &memory, &regs, 0x10c, true), JF_OK);
	cr_assert_eq(jf_backtrace_print_walk(&walk, fd, NULL), JF_E_READ);
	end(fd);
	cr_assert(strstr(printed,
			 "middle+0x10 insn 1\n  the walk ends here: memory outside the given bounds would have "
			 "been read (0x90"),
		  "%s", printed);
}

/* Behind a frame that went by a guess, every frame may be wrong. */
Test(backtrace, guesses_are_marked)
{
	const struct jf_walk_opts by_guess = {.size = sizeof(by_guess), .guess = toy_backend.conventions[0]};
	struct jf_memory memory;
	struct jf_regs regs = start_regs();
	struct stack stack = good;
	struct jf_slot record[JF_RECORD__COUNT];
	uint64_t cfa = AT(7) - (uint64_t)(int64_t)toy_backend.conventions[0]->fp_off_from_cfa;
	int fd;

	memory = memory_of(&stack);
	cr_assert_eq(jf_frame_record(toy_backend.conventions[0], record), JF_OK);
	memset(stack.word, 0, sizeof(stack.word));
	stack.word[(cfa + (uint64_t)(int64_t)record[JF_RECORD_RETURN].off_from_cfa - LOW) / 8] = 0x320;
	stack.word[(cfa + (uint64_t)(int64_t)record[JF_RECORD_FP].off_from_cfa - LOW) / 8] = AT(12);
	begin(&fd);
	jf_walk_end(&walk);
	cr_assert_eq(jf_walk_start_with(&walk, &toy_backend, &memory, &regs, 0x7000, true, &by_guess), JF_OK);
	returned = jf_backtrace_print_walk(&walk, fd, NULL);
	end(fd);
	cr_assert_eq(strncmp(printed, "  #0   unknown    0x7000\n? #1   boundary   outer+0x20\n", 50), 0, "%s",
		     printed);
}

/* ---- one frame ------------------------------------------------------------------------------------- */

Test(backtrace, a_frame_as_a_struct)
{
	struct jf_backtrace_frame seen = {.size = sizeof(seen)};
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_backtrace_describe(&walk, 0, NULL, &seen), JF_OK);
	cr_assert_str_eq(seen.kind, "subprogram");
	cr_assert_str_eq(seen.name, "leaf");
	cr_assert_str_eq(seen.file, "/src/of/it/two.c");
	cr_assert_str_eq(seen.text, "\treturn f(x);");
	cr_assert_eq(seen.offset, 0xc);
	cr_assert_eq(seen.insn, 1);
	cr_assert_eq(seen.line, 7);
	cr_assert_eq(seen.known, 15);
	cr_assert_eq(seen.pc, 0x10c);
	cr_assert_eq(seen.sp, LOW);
	cr_assert_eq(seen.fp, OUTER_FP);
	cr_assert_null(seen.object);
	cr_assert(!seen.guessed);
}

/* What others have written stays on its line. */
Test(backtrace, a_frame_of_the_callers)
{
	struct jf_backtrace_frame made = {
		.size = sizeof(made), .insn = -1, .kind = "c", .name = "a\nb", .offset = 1, .object = "/lib/c.so/"};
	char text[64];

	cr_assert_eq(jf_backtrace_text(&made, 12, 0, text, sizeof(text)),
		     (int)strlen("  #12  c          a b+0x1 in c.so/"));
	cr_assert_str_eq(text, "  #12  c          a b+0x1 in c.so/");
	made.object = "";
	jf_backtrace_text(&made, 123456, 0, text, sizeof(text));
	cr_assert_str_eq(text, "  #123456 c          a b+0x1 in the program");
	cr_assert_eq(jf_backtrace_text(&made, 0, 0, text, 5), 40);
	cr_assert_str_eq(text, "  #0");
	cr_assert_eq(jf_backtrace_text(&made, 0, 0, NULL, 0), 40);
}

Test(backtrace, arguments)
{
	struct {
		struct jf_backtrace_opts opts;
		uint64_t more;
	} newer = {.opts = {.size = sizeof(newer)}, .more = 1};
	struct jf_backtrace_opts other = {.size = sizeof(other), .conv = jf_backend_at(0)->conventions[0]};
	struct jf_backtrace_frame seen = {.size = sizeof(seen)}, bad = {.size = 0};
	struct stack stack = good;
	struct jf_walk none;
	char text[8];

	memset(&none, 0, sizeof(none));
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_backtrace_describe(NULL, 0, NULL, &seen), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_describe(&none, 0, NULL, &seen), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_describe(&walk, 0, NULL, NULL), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_describe(&walk, 0, NULL, &bad), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_describe(&walk, 0, other.conv, &seen), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_print_walk(NULL, 2, NULL), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_print_walk(&none, 2, NULL), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_print_walk(&walk, 2, &newer.opts), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_print_walk(&walk, 2, &other), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_print(2, &newer.opts), JF_E_INVAL);
	cr_assert_eq(jf_backtrace_text(NULL, 0, 0, text, 8), -1);
	cr_assert_eq(jf_backtrace_text(&bad, 0, 0, text, 8), -1);
	cr_assert_eq(jf_backtrace_text(&seen, 0, 0, text, 8), -1, "no kind");
}

/* Nobody listens, and errno stays. */
Test(backtrace, a_descriptor_that_takes_nothing)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	errno = ENOMEM;
	cr_assert_eq(jf_backtrace_print_walk(&walk, -1, NULL), JF_E_NO_ROW);
	cr_assert_eq(errno, ENOMEM);
}

/* ---- text in signal handlers ------------------------------------------------------------------------- */

Test(backtrace, numbers)
{
	char at[64];
	struct text text = text_begin(at, sizeof(at));

	text_dec(&text, 0);
	text_char(&text, ' ');
	text_dec(&text, UINT64_MAX);
	text_char(&text, ' ');
	text_hex(&text, 0);
	text_char(&text, ' ');
	text_hex(&text, UINT64_MAX);
	cr_assert_str_eq(at, "0 18446744073709551615 0x0 0xffffffffffffffff");
	cr_assert_eq(text.length, strlen(at));
}
