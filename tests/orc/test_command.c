/* SPDX-License-Identifier: BSD-2-Clause */

/* `jitframe orc`: dump and find on object files, and on linked files made up here. */

#include "image.h"

#include "../exec/command.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs `jitframe orc` with the arguments, up to a NULL. */
static struct command orc(const char *arg, ...)
{
	struct command command = {.argc = 0};
	va_list args;

	cr_assert(getenv("JITFRAME"), "JITFRAME has to name the command");
	command_add(&command, getenv("JITFRAME"));
	command_add(&command, "orc");
	va_start(args, arg);
	for (; arg; arg = va_arg(args, const char *))
		command_add(&command, arg);
	va_end(args);
	command_run(&command);
	return command;
}

static void expect(struct command command, int status, const char *out, const char *err)
{
	cr_assert_eq(command.status, status, "%d: %s", command.status, command.err);
	if (out)
		cr_assert_str_eq(command.out, out);
	cr_assert(err ? strstr(command.err, err) != NULL : command.err[0] == '\0', "\"%s\"", command.err);
	command_fini(&command);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	cr_assert(file && fread(text, 1, 65535, file) > 0, "%s", path);
	fclose(file);
	return text;
}

static void dump_is(const char *name)
{
	char object[512], wanted[512], *text;

	snprintf(object, sizeof(object), "%s/%s.o", OBJECT_DIR, name);
	snprintf(wanted, sizeof(wanted), "%s/%s/orc.txt", ARCH_DIR, name);
	text = read_text(wanted);
	expect(orc("dump", object, NULL), 0, text, NULL);
	free(text);
}

Test(orc_command, dump_of_objects_is_what_objtool_printed)
{
	const struct jf_backend *backend;
	unsigned int dumped = 0;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s/orc.txt", ARCH_DIR, backend->name);
		if (access(path, R_OK) != 0)
			continue;
		dump_is(backend->name);
		dumped++;
	}
	cr_assert_gt(dumped, 0);
}

#define LA OBJECT_DIR "/loongarch64.o"

Test(orc_command, find_in_an_object)
{
	expect(orc("find", LA, ".text+0", ".text+24", ".text+5b", ".text+ff", ".init.text", ".init.text+21", NULL), 0,
	       ".text+0: .text+0:type:call sp:sp +   0 fp: (und)  ra: (und)  signal:0\n"
	       ".text+24: .text+24:type:call sp:fp +   0 fp:prevsp + -16 ra:prevsp +  -8 signal:0\n"
	       ".text+5b: .text+24:type:call sp:fp +   0 fp:prevsp + -16 ra:prevsp +  -8 signal:0\n"
	       ".text+ff: .text+a8:type:? sp: (und)  fp: (und)  ra: (und)  signal:0\n"
	       ".init.text+0: .init.text+0:type:call sp:sp +   0 fp: (und)  ra: (und)  signal:0\n"
	       ".init.text+21: .init.text+20:type:call sp:sp +  16 fp: (und)  ra:prevsp +  -8 signal:0\n",
	       NULL);
	expect(orc("find", LA, "init_function+24", NULL), 0,
	       ".init.text+24: .init.text+20:type:call sp:sp +  16 fp: (und)  ra:prevsp +  -8 signal:0\n", NULL);
	expect(orc("find", LA, ".text+100", NULL), 2, "", ".text+100: there is no code in");
	expect(orc("find", LA, ".orc_unwind+0", NULL), 2, "", "there is no code in");
	expect(orc("find", LA, "24", NULL), 2, "", "24: it is neither SECTION+OFFSET nor SYMBOL+OFFSET of");
	expect(orc("find", LA, ".text+2g", NULL), 2, "", "it is neither");
}

static json_t *parse(struct command command)
{
	json_error_t error;
	json_t *value = json_loads(command.out, 0, &error);

	cr_assert(command.status == 0 && value, "%s %s", command.err, error.text);
	command_fini(&command);
	return value;
}

Test(orc_command, json)
{
	json_t *all = parse(orc("dump", "--json", LA, NULL)), *entries = json_object_get(all, "entries"), *one;

	cr_assert_eq(json_array_size(entries), 20);
	cr_assert_str_eq(json_string_value(json_object_get(all, "arch")), "loongarch64");
	one = json_array_get(entries, 3);
	cr_assert_str_eq(json_string_value(json_object_get(one, "at")), ".text+c");
	cr_assert_eq(json_integer_value(json_object_get(one, "sp_offset")), 96);
	cr_assert_eq(json_integer_value(json_object_get(json_object_get(one, "row"), "cfa_off")), 96);
	cr_assert(json_is_null(json_object_get(json_array_get(entries, 7), "row")));
	json_decref(all);
	all = parse(orc("find", LA, "--json", ".text+30", ".text+98", NULL));
	entries = json_object_get(all, "found");
	cr_assert_eq(json_array_size(entries), 2);
	one = json_array_get(entries, 0);
	cr_assert_str_eq(json_string_value(json_object_get(one, "address")), ".text+30");
	cr_assert_str_eq(json_string_value(json_object_get(one, "from")), ".text+24");
	one = json_object_get(json_object_get(one, "entry"), "row");
	cr_assert_str_eq(json_string_value(json_object_get(one, "cfa_register")), "fp");
	cr_assert_eq(json_integer_value(json_object_get(json_object_get(one, "saved_off_from_cfa"), "ra")), -8);
	json_decref(all);
}

Test(orc_command, usage_and_files_that_are_none)
{
	expect(orc("dump", NULL), 2, "", "Usage");
	expect(orc("print", LA, NULL), 2, "", "neither dump nor find");
	expect(orc("find", LA, NULL), 2, "", "find needs an address");
	expect(orc("dump", LA, "5", NULL), 2, "", "unexpected argument 5");
	expect(orc("dump", "/nowhere", NULL), 2, "", "No such file");
	expect(orc("dump", ARCH_DIR "/loongarch64/orc.s", NULL), 2, "", "it is no ELF file");
	expect(orc("dump", "-f", "linux-7", LA, NULL), 2, "", "loongarch64 has none of that name");
	expect(orc("dump", getenv("JITFRAME"), NULL), 2, "", "it has no section .orc_unwind");
}

/* ---- linked files ---- */

static const struct jf_orc_format *format_of(const char *backend, const char *name)
{
	return jf_orc_format_find(jf_backend_find(backend), name);
}

/* Out of order, with a terminator and a real entry at one address. */
static void make_table(struct memory_table *m, const struct jf_orc_format *format, uint8_t sp_reg)
{
	struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = sp_reg, .sp_off = 8};
	const struct jf_orc_entry none = {0};

	orc_memory_new(m, format, 5);
	orc_memory_set(m, 0, IMAGE_TEXT_ADDRESS + 0x1000, &entry);
	entry.sp_off = 16;
	orc_memory_set(m, 1, IMAGE_TEXT_ADDRESS + 0x20, &entry);
	orc_memory_set(m, 2, IMAGE_TEXT_ADDRESS + 0x1000, &none);
	entry.sp_off = 24;
	orc_memory_set(m, 3, IMAGE_TEXT_ADDRESS + 0x10, &entry);
	orc_memory_set(m, 4, IMAGE_TEXT_ADDRESS + 0x2000, &none);
}

static char file_name[64];

static void write_file(const uint8_t *bytes, size_t size)
{
	FILE *file;
	int fd;

	if (!file_name[0]) {
		snprintf(file_name, sizeof(file_name), "/tmp/jitframe-orc-XXXXXX");
		fd = mkstemp(file_name);
		cr_assert(fd >= 0);
		file = fdopen(fd, "wb");
	} else {
		file = fopen(file_name, "wb");
	}
	cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void write_image(const struct jf_orc_format *format, uint8_t sp_reg, const uint8_t *header)
{
	struct memory_table m;
	uint8_t *bytes;
	size_t size;

	make_table(&m, format, sp_reg);
	bytes = orc_image(&m.table, header, &size);
	write_file(bytes, size);
	free(bytes);
	orc_memory_free(&m);
}

static void remove_file(void)
{
	remove(file_name);
}

#define DUMP                                                       \
	"ffffffff81001000:type:call sp:sp+8 bp:(und) signal:0\n"   \
	"ffffffff81000020:type:call sp:sp+16 bp:(und) signal:0\n"  \
	"ffffffff81001000:type:(und) sp:(und) bp:(und) signal:0\n" \
	"ffffffff81000010:type:call sp:sp+24 bp:(und) signal:0\n"  \
	"ffffffff81002000:type:(und) sp:(und) bp:(und) signal:0\n"

Test(orc_command, linked_files_in_all_formats, .fini = remove_file)
{
	const struct jf_orc_format *newest = format_of("x86_64", NULL), *old = format_of("x86_64", "linux-6.4");

	write_image(newest, 3, newest->headers[0]);
	expect(orc("dump", file_name, NULL), 0, DUMP, NULL);
	write_image(old, 5, old->headers[0]);
	expect(orc("dump", file_name, NULL), 0, DUMP, NULL);
	write_image(old, 5, NULL);
	expect(orc("dump", "--format", "linux-6.4", file_name, NULL), 0, DUMP, "it has no .orc_header");
	expect(orc("dump", file_name, NULL), 0, NULL, "it has no .orc_header");
	write_image(old, 5, newest->headers[0]);
	expect(orc("dump", "-f", "linux-6.4", file_name, NULL), 0, DUMP, "is of no format that is known");
	write_image(newest, 3, format_of("loongarch64", NULL)->headers[0]);
	expect(orc("dump", file_name, NULL), 0, DUMP, "is of no format that is known");
	write_image(format_of("loongarch64", NULL), 2, format_of("loongarch64", NULL)->headers[0]);
	expect(orc("find", file_name, "ffffffff81000010", NULL), 0,
	       "ffffffff81000010: ffffffff81000010:type:call sp:sp +  24 fp: (und)  ra: (und)  signal:0\n", NULL);
}

Test(orc_command, find_in_a_linked_file_sorts_as_the_kernel_does, .fini = remove_file)
{
	const struct jf_orc_format *format = format_of("x86_64", NULL);

	write_image(format, 3, format->headers[0]);
	expect(orc("find", file_name, "0xffffffff81000000", "ffffffff8100001f", "ffffffff81000020", "ffffffff81000fff",
		   "FFFFFFFF81001000", "ffffffff81002000", NULL),
	       0,
	       "ffffffff81000000: ffffffff81000010:type:call sp:sp+24 bp:(und) signal:0\n"
	       "ffffffff8100001f: ffffffff81000010:type:call sp:sp+24 bp:(und) signal:0\n"
	       "ffffffff81000020: ffffffff81000020:type:call sp:sp+16 bp:(und) signal:0\n"
	       "ffffffff81000fff: ffffffff81000020:type:call sp:sp+16 bp:(und) signal:0\n"
	       "ffffffff81001000: ffffffff81001000:type:call sp:sp+8 bp:(und) signal:0\n"
	       "ffffffff81002000: ffffffff81002000:type:(und) sp:(und) bp:(und) signal:0\n",
	       NULL);
	expect(orc("find", file_name, "ffffffff80ffffff", NULL), 2, "", "there is no code");
	expect(orc("find", file_name, "ffffffff81010000", NULL), 2, "", "there is no code");
	expect(orc("find", file_name, "schedule", NULL), 2, "", "it is neither an address nor SYMBOL+OFFSET");
}
