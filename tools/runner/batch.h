/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_BATCH_H
#define JF_RUNNER_BATCH_H

/*
 * Many runs by one process, each in a child of its own: starting an emulator takes longer than most programs run.
 * A request is a line of fields, with a tab between two:
 *
 *     NAME  SECONDS  OPTION...
 *
 * The options are those of one run. Its records go to the file NAME.report, what it prints to NAME.output. A run that
 * takes longer than SECONDS is ended by SIGALRM. When a run has ended there is a record:
 *
 *     done name=NAME status=(exit status) signal=(0: none)
 */

/* Does one run as its options say. in: argv[0] is no option. returns: the exit status. */
typedef int (*batch_run)(int argc, char **argv);

/*
 * Serves requests, each in a child of its own.
 * in: `requests` as input_read() takes it. prepare = does for the first request, in this process, what every run does
 * before the program runs, and undoes all of it: an emulator's children then have that code translated already.
 * returns: EXIT_OK when each request was served; EXIT_BAD_INPUT after an error record.
 */
int batch(const char *requests, batch_run run, batch_run prepare);

#endif
