/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate_loongarch64.h"

#include <stdio.h>
#include <string.h>

/* ---- the linux conventions, word for word ---------------------------------------------------- */

static void expect_words(const char *target, const struct jf_frame_spec *spec, enum jf_part part, const uint32_t *words,
			 size_t count)
{
	static struct la_output out;

	la_emit(&out, la_convention(target), spec, part);
	cr_expect_eq(out.code.size, 4 * count, "%s role %u part %d: %zu bytes", target, spec->role, part,
		     out.code.size);
	for (size_t i = 0; i < count && 4 * i < out.code.size; i++) {
		const uint8_t *at = out.bytes + 4 * i;
		uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;

		cr_expect_eq(word, words[i], "%s role %u part %d: word %zu is %08x, not %08x", target, spec->role, part,
			     i, word, words[i]);
	}
}

#define EXPECT(target, spec, part, ...)                                   \
	expect_words(target, spec, part, (const uint32_t[]){__VA_ARGS__}, \
		     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* clang-format off */

/* move t0, ra and five nops */
#define PATCH_AREA 0x0015002c, 0x03400000, 0x03400000, 0x03400000, 0x03400000, 0x03400000
#define CLEAR_A6 0x02c0000a                  /* addi.d a6, zero, 0 */
#define RETURN32 0x02800124, 0x4c000020      /* addi.w a0, a5, 0; ret */
#define TO_TAIL_ENTRY 0x4c001de0             /* jirl zero, t3, 28 */

Test(prologue_loongarch64, linux_main)
{
	const struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fec063,                                                 /* addi.d sp, sp, -80 */
	       0x29c12061, 0x29c10076,                                     /* st.d ra 72, fp 64 */
	       0x29c0e077, 0x29c0c078, 0x29c0a079, 0x29c0807a,             /* st.d s0..s3 */
	       0x29c0607b, 0x29c0407c,                                     /* st.d s4, s5 */
	       0x29c0206a, 0x02c02073, 0x02408954, 0x00135273, 0x0013d14a, /* the count */
	       0x00154d4a, 0x29c0006a,                                     /* st.d a6 0 */
	       0x02c14076);                                                /* addi.d fp, sp, 80 */
	EXPECT("loongarch64/linux", &spec, JF_PART_EPILOGUE, 0x28c12061, 0x28c10076, 0x28c0e077, 0x28c0c078,
	       0x28c0a079, 0x28c0807a, 0x28c0607b, 0x28c0407c, 0x28c0206a, /* ld.d a6 8 */
	       0x02c14063, RETURN32);
}

Test(prologue_loongarch64, linux_subprogram_with_stack)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 24;
	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA,
	       0x02fe4063,                                     /* addi.d sp, sp, -112 */
	       0x29c1a061, 0x29c18076,                         /* st.d ra 104, fp 96 */
	       0x29c16077, 0x29c14078, 0x29c12079, 0x29c1007a, /* st.d s0..s3 */
	       0x29c0e07b, 0x29c0c07c,                         /* st.d s4, s5 */
	       0x29c0a06a, 0x29c0806a,                         /* st.d a6 40, 32 */
	       0x02c1c076,                                     /* addi.d fp, sp, 112 */
	       0x02c0807b);                                    /* addi.d s4, sp, 32 */
}

Test(prologue_loongarch64, linux_main_with_arena_and_tail_calls)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.arena = true;
	spec.tail_calls = true;
	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fe8063,                                                 /* addi.d sp, sp, -96 */
	       0x29c16061, 0x29c14076,                                     /* st.d ra 88, fp 80 */
	       0x29c12077, 0x29c10078, 0x29c0e079, 0x29c0c07a,             /* st.d s0..s3 */
	       0x29c0a07b, 0x29c0807c,                                     /* st.d s4, s5 */
	       0x29c0606a, 0x02c06073, 0x02408954, 0x00135273, 0x0013d14a, /* the count */
	       0x00154d4a, 0x29c0406a,                                     /* st.d a6 16 */
	       0x29c0207d,                                                 /* st.d s6 8 */
	       0x02c18076,                                                 /* addi.d fp, sp, 96 */
	       0x142468bd, 0x17f0001d);                                    /* s6 = the arena's base */
	EXPECT("loongarch64/linux", &spec, JF_PART_TAIL_EXIT, 0x28c16061, 0x28c14076, 0x28c12077, 0x28c10078,
	       0x28c0e079, 0x28c0c07a, 0x28c0a07b, 0x28c0807c, 0x28c0606a, /* ld.d a6 24 */
	       0x28c0207d,                                                 /* ld.d s6 8 */
	       0x02c18063, TO_TAIL_ENTRY);
}

/* As arena programs: 7.3's place for s6 in boundary and callback. */
Test(prologue_loongarch64, linux_boundary_and_callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	EXPECT("loongarch64/linux", &spec, JF_PART_EPILOGUE, 0x28c16061, 0x28c14076, 0x28c12077, 0x28c10078,
	       0x28c0e079, 0x28c0c07a, 0x28c0a07b, 0x28c0807c, 0x28c0606a, 0x28c0207d, 0x02c18063, RETURN32);
	spec.role = JF_ROLE_CALLBACK;
	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA, 0x001500d6, /* move fp, a2 */
	       0x02fe82c3);                                                          /* addi.d sp, fp, -96 */
	spec.bpf_stack_bytes = 16;
	EXPECT("loongarch64/linux", &spec, JF_PART_ALL, PATCH_AREA, 0x001500d6, 0x02fe42c3, 0x02c0407b, 0x28c1a061,
	       0x28c18076, 0x28c16077, 0x28c14078, 0x28c12079, 0x28c1007a, 0x28c0e07b, 0x28c0c07c, 0x28c0a06a,
	       0x28c0607d, 0x02c1c063, RETURN32);
}

Test(prologue_loongarch64, v2_main)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.tail_calls = true;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fec063, 0x29c12061, 0x29c10076,
	       0x29c0e077, 0x29c0c078, 0x29c0a079, 0x29c0807a, 0x29c0607b, 0x29c0407c,
	       0x02c0840f, /* addi.d t3, zero, 33 */
	       0x6c0009ea, /* bgeu t3, a6, +8 */
	       0x50001000, /* b +16 */
	       0x29c0206a, /* st.d a6 8 */
	       0x02c0206a, /* addi.d a6, sp, 8 */
	       0x50000800, /* b +8 */
	       0x29c0206a, /* st.d a6 8 */
	       0x29c0006a, /* st.d a6 0 */
	       0x02c14076);
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_TAIL_EXIT, 0x28c12061, 0x28c10076, 0x28c0e077, 0x28c0c078,
	       0x28c0a079, 0x28c0807a, 0x28c0607b, 0x28c0407c, 0x28c0006a, 0x28c0206a, /* a6 twice */
	       0x02c14063, TO_TAIL_ENTRY);
}

Test(prologue_loongarch64, v2_boundary_and_callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fe8063, 0x29c16061, 0x29c14076,
	       0x29c12077, 0x29c10078, 0x29c0e079, 0x29c0c07a, 0x29c0a07b, 0x29c0807c, 0x29c0607d, /* s6 24 */
	       0x02c0840f, 0x6c0009ea, 0x50001000, 0x29c0406a, 0x02c0406a, 0x50000800, 0x29c0406a,
	       0x29c0206a, /* st.d a6 8 */
	       0x02c18076);
	spec.role = JF_ROLE_CALLBACK;
	spec.bpf_stack_bytes = 16;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA, 0x001500d6, 0x02fe42c3, 0x02c0407b);
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_EPILOGUE,
	       0x28c1a061, 0x28c18076, 0x28c16077, 0x28c14078, 0x28c12079,
	       0x28c1007a, 0x28c0e07b, 0x28c0c07c, 0x28c0a07d, 0x28c0606a, 0x28c0806a, 0x02c1c063, RETURN32);
}

Test(prologue_loongarch64, v2_private_stack)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 72;
	spec.private_stack = true;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA,
	       0x02fec063, 0x29c12061, 0x29c10076, 0x29c0e077,
	       0x29c0c078, 0x29c0a079, 0x29c0807a, 0x29c0607b, 0x29c0407c, 0x29c0206a, 0x29c0006a, 0x02c14076,
	       0x14a8643b, 0x0381837b, 0x160000db, /* s4 = P + 16 + 80 */
	       0x0010d77b);                        /* add.d s4, s4, $r21 */
}

Test(prologue_loongarch64, user_pays_for_what_it_uses)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	EXPECT("loongarch64/user", &spec, JF_PART_ALL, CLEAR_A6,
	       0x02ffc063,             /* addi.d sp, sp, -16 */
	       0x29c02061, 0x29c00076, /* st.d ra 8, fp 0 */
	       0x02c04076,             /* addi.d fp, sp, 16 */
	       0x28c02061, 0x28c00076, 0x02c04063,
	       0x00150124, 0x4c000020); /* move a0, a5; ret */
	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 8;
	EXPECT("loongarch64/user", &spec, JF_PART_ALL,
	       0x02ff8063,                         /* addi.d sp, sp, -32 */
	       0x29c06061, 0x29c04076, 0x29c0207b, /* st.d ra, fp, s4 */
	       0x02c08076,                         /* addi.d fp, sp, 32 */
	       0x02ffc063,                         /* addi.d sp, sp, -16 */
	       0x02ff82db,                         /* addi.d s4, fp, -32 */
	       0x02ff82c3,                         /* addi.d sp, fp, -32 */
	       0x28c06061, 0x28c04076, 0x28c0207b, 0x02c08063, 0x00150124, 0x4c000020);
}

/* clang-format on */

/* ---- tables ----------------------------------------------------------------------------------- */

Test(prologue_loongarch64, tables)
{
	uint8_t unsaved[JF_REGS_MAX];
	struct jf_error error;

	cr_assert_eq(jf_backend_check(&jf_loongarch64_backend, &error), JF_OK, "%s", error.text);
	for (unsigned int i = 0; i < LA_REG_COUNT; i++)
		cr_expect_eq(jf_loongarch64_regs[i].id, i);
	/* R3: complete in user; the patch leaves s7, s8 and, as the kernel may, fs0..fs7. */
	cr_expect_eq(jf_convention_unsaved(la_convention("loongarch64/user"), unsaved, sizeof(unsaved)), 0);
	cr_expect_eq(jf_convention_unsaved(la_convention("loongarch64/linux"), unsaved, sizeof(unsaved)), 10);
	cr_expect_eq(jf_convention_unsaved(la_convention("loongarch64/linux-v2"), unsaved, sizeof(unsaved)), 10);
	cr_expect_eq(unsaved[0], LA_S7);
	cr_expect_eq(unsaved[1], LA_S8);
	cr_expect_eq(unsaved[2], LA_FS0);
}
