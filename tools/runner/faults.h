/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_FAULTS_H
#define JF_RUNNER_FAULTS_H

/*
 * From here on a bad memory access or instruction ends the process with an `error` record that names the
 * BPF function and the place in it, where it was one: nobody has verified the programs that run here.
 */
void faults_report(void);

#endif
