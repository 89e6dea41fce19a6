/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_FAULTS_H
#define JF_RUNNER_FAULTS_H

/*
 * From here on a bad memory access or instruction of a BPF program ends the process with an `error` record
 * that names the function and the place in it: nobody has verified the programs that run here. One in C
 * code is reported too, and then takes its usual course. To be called before programs are loaded: what
 * the library does about faults comes first.
 */
void faults_report(void);

/* Around the calling thread's runs: gives it a stack for that, for programs that use up the thread's own. */
void faults_begin(void);
void faults_end(void);

#endif
