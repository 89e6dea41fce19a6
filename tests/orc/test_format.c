/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include <string.h>

static const struct jf_orc_format *format_of(const char *backend, const char *name)
{
	const struct jf_orc_format *format = jf_orc_format_find(jf_backend_find(backend), name);

	cr_assert_not_null(format, "%s %s", backend, name);
	return format;
}

Test(orc_format, each_architecture_has_its_own)
{
	cr_assert_null(jf_orc_format_find(NULL, NULL));
	cr_assert_null(jf_orc_format_find(jf_backend_find("arm64"), NULL));
	cr_assert_eq(format_of("x86_64", NULL), format_of("x86_64", "linux-7"));
	cr_assert_neq(format_of("x86_64", NULL), format_of("x86_64", "linux-6.4"));
	cr_assert_eq(format_of("x86_64", NULL)->entry_bytes, 6);
	cr_assert_eq(format_of("loongarch64", NULL)->entry_bytes, 8);
	cr_assert_null(jf_orc_format_find(jf_backend_find("x86_64"), "linux-5"));
	for (size_t i = 0; orc_format_at(i); i++) {
		const struct jf_orc_format *f = orc_format_at(i);

		cr_assert_eq(f->size, sizeof(*f));
		cr_assert(f->entry_bytes <= 8 && f->name && f->fp_name && f->unknown_code);
		for (unsigned int k = 0; k < JF_ORC_CODES; k++)
			cr_assert(!(f->codes[k].cfa || f->codes[k].saved) || f->codes[k].before, "%s: code %u", f->name,
				  k);
	}
}

struct bytes_and_text {
	const char *backend, *format;
	uint8_t bytes[8];
	const char *text;
};

/*
 * What the kernels use when no table has the address, then what their tables have; the text is what objtool
 * printed for the same bytes.
 */
static const struct bytes_and_text known[] = {
	{"loongarch64",
	 "linux-6.9",
	 {0x10, 0x00, 0xf0, 0xff, 0xf8, 0xff, 0x13, 0x21},
	 "type:call sp:fp +  16 fp:prevsp + -16 ra:prevsp +  -8 signal:0"},
	{"loongarch64",
	 "linux-6.9",
	 {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x20},
	 "type:call sp:sp +   0 fp: (und)  ra: (und)  signal:0"},
	{"loongarch64",
	 "linux-6.9",
	 {0xf0, 0x07, 0xf0, 0xff, 0xf8, 0xff, 0x12, 0x21},
	 "type:call sp:sp + 2032 fp:prevsp + -16 ra:prevsp +  -8 signal:0"},
	{"loongarch64", "linux-6.9", {0}, "type:? sp: (und)  fp: (und)  ra: (und)  signal:0"},
	{"loongarch64",
	 "linux-6.9",
	 {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10},
	 "type:? sp: (und)  fp: (und)  ra: (und)  signal:0"},
	{"loongarch64",
	 "linux-6.9",
	 {0x00, 0x80, 0xff, 0x7f, 0x01, 0x00, 0xe4, 0xcf},
	 "type:regs (partial) sp:? + -32768 fp:? + 32767 ra:? +   1 signal:1"},
	{"x86_64", "linux-7", {0x10, 0x00, 0xf0, 0xff, 0x84, 0x02}, "type:call sp:bp+16 bp:prevsp-16 signal:0"},
	{"x86_64", "linux-7", {0x08, 0x00, 0x00, 0x00, 0x03, 0x02}, "type:call sp:sp+8 bp:(und) signal:0"},
	{"x86_64", "linux-7", {0}, "type:(und) sp:(und) bp:(und) signal:0"},
	{"x86_64", "linux-7", {0x00, 0x00, 0x00, 0x00, 0x00, 0x01}, "type:end sp:(und) bp:(und) signal:0"},
	{"x86_64", "linux-7", {0x00, 0x00, 0x00, 0x00, 0x03, 0x0b}, "type:regs sp:sp+0 bp:(und) signal:1"},
	{"x86_64", "linux-7", {0xf8, 0xff, 0x00, 0x00, 0x4a, 0x02}, "type:call sp:(bp-8) bp:bp+0 signal:0"},
	{"x86_64", "linux-7", {0x08, 0x00, 0x00, 0x00, 0x09, 0x02}, "type:call sp:(sp)+8 bp:(und) signal:0"},
	{"x86_64", "linux-7", {0x00, 0x00, 0x00, 0x00, 0x01, 0x04}, "type:regs (partial) sp:ax+0 bp:(und) signal:0"},
	{"x86_64", "linux-7", {0x00, 0x00, 0x00, 0x00, 0xbf, 0x07}, "type:? sp:?+0 bp:?+0 signal:0"},
	{"x86_64", "linux-6.4", {0x08, 0x00, 0x00, 0x00, 0x05, 0x02}, "type:call sp:sp+8 bp:(und) signal:0"},
	{"x86_64", "linux-6.4", {0x10, 0x00, 0xf0, 0xff, 0x14, 0x02}, "type:call sp:bp+16 bp:prevsp-16 signal:0"},
	{"x86_64", "linux-6.4", {0xf8, 0xff, 0x00, 0x00, 0x48, 0x02}, "type:call sp:(bp-8) bp:bp+0 signal:0"},
	{"x86_64", "linux-6.4", {0x00, 0x00, 0x00, 0x00, 0x07, 0x02}, "type:call sp:r13+0 bp:(und) signal:0"},
};

Test(orc_format, known_bytes_have_objtools_text)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct jf_orc_format *format = format_of(known[i].backend, known[i].format);
		struct jf_orc_entry entry;
		uint8_t bytes[8] = {0};
		char text[200];
		int length;

		jf_orc_decode(format, known[i].bytes, &entry);
		length = jf_orc_text(format, &entry, text, sizeof(text));
		cr_assert_str_eq(text, known[i].text);
		cr_assert_eq(length, (int)strlen(text));
		cr_assert_eq(jf_orc_encode(format, &entry, bytes), JF_OK);
		cr_assert_arr_eq(bytes, known[i].bytes, format->entry_bytes);
		cr_assert_eq(jf_orc_text(format, &entry, NULL, 0), length);
		cr_assert_eq(jf_orc_text(format, &entry, text, 5), length);
		cr_assert_str_eq(text, "type");
	}
}

Test(orc_format, every_flag_word_survives_decoding_and_encoding)
{
	for (size_t i = 0; orc_format_at(i); i++) {
		const struct jf_orc_format *f = orc_format_at(i);
		unsigned int unused = f->ra_off_at == JF_ORC_NO_FIELD ? 0xf000 : 0;

		for (unsigned int flags = 0; flags < 0x10000; flags++) {
			uint8_t in[8] = {0x34, 0x12, 0xfe, 0xff, 0x55, 0xaa, 0, 0}, out[8] = {0};
			struct jf_orc_entry entry;
			char text[200];

			in[f->flags_at] = (uint8_t)flags;
			in[f->flags_at + 1] = (uint8_t)(flags >> 8);
			jf_orc_decode(f, in, &entry);
			CHECK_STATUS(jf_orc_encode(f, &entry, out), JF_OK, "flags %#x", flags);
			in[f->flags_at + 1] &= (uint8_t) ~(unused >> 8);
			CHECK(memcmp(in, out, f->entry_bytes) == 0, "%s: flags %#x", f->name, flags);
			CHECK(entry.sp_off == 0x1234 && entry.fp_off == -2, "flags %#x", flags);
			CHECK(jf_orc_text(f, &entry, text, sizeof(text)) < 120, "flags %#x: %s", flags, text);
		}
	}
}

Test(orc_format, what_does_not_fit_is_not_encoded)
{
	const struct jf_orc_format *x86 = format_of("x86_64", NULL), *la = format_of("loongarch64", NULL);
	struct jf_orc_entry entry = {.type = JF_ORC_CALL};
	uint8_t bytes[8];

	memset(bytes, 0xcc, sizeof(bytes));
	entry.sp_reg = 16;
	cr_assert_eq(jf_orc_encode(x86, &entry, bytes), JF_E_RANGE);
	entry = (struct jf_orc_entry){.fp_reg = 16};
	cr_assert_eq(jf_orc_encode(la, &entry, bytes), JF_E_RANGE);
	entry = (struct jf_orc_entry){.ra_reg = 16};
	cr_assert_eq(jf_orc_encode(la, &entry, bytes), JF_E_RANGE);
	entry = (struct jf_orc_entry){.type = 8};
	cr_assert_eq(jf_orc_encode(la, &entry, bytes), JF_E_RANGE);
	entry = (struct jf_orc_entry){.signal = 2};
	cr_assert_eq(jf_orc_encode(la, &entry, bytes), JF_E_RANGE);
	entry = (struct jf_orc_entry){.ra_off = -8};
	cr_assert_eq(jf_orc_encode(x86, &entry, bytes), JF_E_RANGE);
	entry = (struct jf_orc_entry){.ra_reg = 1};
	cr_assert_eq(jf_orc_encode(x86, &entry, bytes), JF_E_RANGE);
	for (size_t i = 0; i < sizeof(bytes); i++)
		cr_assert_eq(bytes[i], 0xcc);
}
