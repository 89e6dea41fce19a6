/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-runner-ARCH: runs one program of a bundle on the processor that it is built for, and reports what
 * happened (report.h). The `jitframe` command starts it, through an emulator where need be.
 *
 *     jf-runner-ARCH --bundle FILE|fd:N --target ARCH/CONVENTION [--program NAME] [--ctx HEX|@FILE]
 *                    [--packet HEX|@FILE]
 *                    [--trace] [--check-registers] [--repeat N] [--threads N]
 *                    [--landing-pads] [--sign-return] [--private-stack] [--indexed-stack BYTES]
 *                    [--set NAME=VALUE]... [--dump NAME]...
 *                    [--publish NAME,...] [--publish-folder DIR] [--report-fd N]
 *     jf-runner-ARCH --batch FILE|fd:N [--report-fd N]
 *
 * The second form does many runs (batch.h).
 */

#include <stdlib.h>
#include <string.h>

#include <jitframe/throw.h>

#include "batch.h"
#include "faults.h"
#include "input.h"
#include "maps.h"
#include "objects.h"
#include "packet.h"
#include "percpu.h"
#include "programs.h"
#include "published.h"
#include "report.h"
#include "values.h"

static uint32_t asked; /* index of the program */

static uint64_t function_address(uint32_t function)
{
	return programs_function(asked, function);
}

static enum jf_status find_convention(const char *target, const struct jf_convention **conv, struct jf_error *error)
{
	const struct jf_backend *host = jf_backend_host();
	enum jf_status status = jf_convention_find(target, conv, error);

	if (status != JF_OK)
		return status;
	if ((*conv)->backend != host)
		return jf_error_set(error, JF_E_UNSUPPORTED, target, "this runner is for %s",
				    host != NULL ? host->name : "no architecture that jitframe has");
	return JF_OK;
}

/* An arena's accesses may fault, and then go on. */
static enum jf_status prepare_arenas(struct jf_error *error)
{
	bool any = false;

	for (uint32_t i = 0; maps_at(i) != NULL; i++)
		any |= maps_at(i)->arena != NULL;
	if (any && jf_fault_handler_install() != JF_OK)
		return jf_error_set(error, JF_E_UNSUPPORTED, "arenas", "faults cannot be handled here");
	return JF_OK;
}

static enum jf_status set_values(const struct input *input, const struct bundle *bundle, struct jf_error *error)
{
	enum jf_status status = JF_OK;

	for (unsigned int i = 0; status == JF_OK && i < input->set_count; i++)
		status = values_set(bundle, input->sets[i], error);
	return status;
}

/* returns: the exit status. */
static int dump_values(const struct input *input, const struct bundle *bundle, int code)
{
	struct jf_error error = {0};

	for (unsigned int i = 0; i < input->dump_count; i++)
		if (values_dump(bundle, input->dumps[i], &error) != JF_OK)
			return report_error(&error);
	return code;
}

static enum jf_status prepare(const struct input *input, const struct bundle *bundle, const struct program **program,
			      struct jf_error *error)
{
	const struct jf_convention *conv;
	enum jf_status status = find_convention(input->target, &conv, error);

	if (status == JF_OK)
		status = bundle_find(bundle, input->program, &asked, error);
	if (status == JF_OK && input->run.packet != NULL)
		status = packet_init(bundle->strings + bundle->programs[asked].section, input->run.packet,
				     input->run.packet_bytes, error);
	if (status == JF_OK)
		status = maps_init(bundle, input->run.threads, error);
	if (status == JF_OK)
		status = prepare_arenas(error);
	if (status == JF_OK)
		status = programs_init(bundle, conv, &input->compile, error);
	if (status == JF_OK)
		status = published_start(input->publish, input->publish_folder, error);
	if (status == JF_OK)
		status = programs_load(asked, program, error);
	if (status == JF_OK)
		status = set_values(input, bundle, error);
	if (status == JF_OK)
		status = maps_apply_inits(function_address, error);
	return status;
}

static void finish(void)
{
	programs_fini();
	published_stop();
	maps_fini();
	objects_fini();
	percpu_fini();
	packet_fini();
}

static int run(struct input *input, const struct bundle *bundle)
{
	const struct program *program = NULL;
	struct jf_error error = {0};
	int code;

	faults_report();
	if (prepare(input, bundle, &program, &error) != JF_OK || report_throws(input->trace) != JF_OK) {
		code = report_error(&error);
	} else {
		input->run.check_stacks = input->compile.private_stack;
		input->run.name = bundle->strings + bundle->programs[asked].name;
		code = run_program(program, &input->run);
		code = dump_values(input, bundle, code);
		published_report();
	}
	finish();
	return code;
}

static int prepare_only(struct input *input, const struct bundle *bundle)
{
	const struct program *program = NULL;
	struct jf_error error = {0};
	enum jf_status status = prepare(input, bundle, &program, &error);

	finish();
	return status == JF_OK ? EXIT_OK : EXIT_BAD_INPUT;
}

/* The bytes of --ctx and --packet. returns: false after an error record. */
static bool read_options(struct input *input, uint8_t **ctx, uint8_t **packet)
{
	if (input->ctx != NULL && !input_bytes("--ctx", input->ctx, RUN_CTX_BYTES, ctx, &input->run.ctx_bytes))
		return false;
	if (input->packet != NULL &&
	    !input_bytes("--packet", input->packet, PACKET_BYTES_MAX, packet, &input->run.packet_bytes))
		return false;
	input->run.ctx = *ctx;
	input->run.packet = *packet;
	return true;
}

/* in: work = what to do with the opened bundle. */
static int with_bundle(struct input *input, int (*work)(struct input *, const struct bundle *))
{
	struct bundle bundle;
	struct jf_error error = {0};
	uint8_t *bytes = NULL, *ctx = NULL, *packet = NULL;
	size_t size = 0;
	int code = EXIT_BAD_INPUT;

	if (!input_read(input->bundle, &bytes, &size))
		return EXIT_BAD_INPUT;
	if (read_options(input, &ctx, &packet)) {
		if (bundle_open(&bundle, bytes, size, &error) != JF_OK)
			code = report_error(&error);
		else
			code = work(input, &bundle);
	}
	free(packet);
	free(ctx);
	free(bytes);
	return code;
}

static int do_request(int argc, char **argv, int (*work)(struct input *, const struct bundle *))
{
	struct input input;

	if (!input_parse(&input, argc, argv))
		return EXIT_BAD_INPUT;
	return input.batch == NULL ? with_bundle(&input, work) : report_error_text("--batch within a batch");
}

static int run_request(int argc, char **argv)
{
	return do_request(argc, argv, run);
}

static int prepare_request(int argc, char **argv)
{
	return do_request(argc, argv, prepare_only);
}

int main(int argc, char **argv)
{
	struct input input;

	if (!input_parse(&input, argc, argv))
		return EXIT_BAD_INPUT;
	return input.batch != NULL ? batch(input.batch, run_request, prepare_request) : with_bundle(&input, run);
}
