/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_FAULT_H
#define JF_FAULT_H

#include <jitframe/export.h>
#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/*
 * Machine instructions that may fault on an arena address, and what the fault does: the program goes on at resume_off
 * with register `reg` 0 (JF_REG_NONE: no register changes). Offsets are bytes from the function's start.
 */
struct jf_fault {
	uint32_t start_off, end_off; /* [start, end) */
	uint32_t resume_off;
	uint8_t reg; /* register id */
};

/*
 * Installs handlers for SIGSEGV and SIGBUS, which let programs go on after a fault in an arena access (struct
 * jf_fault). Every other signal goes to whoever was there before, as the kernel would have sent the signal: with
 * sa_mask, SA_NODEFER and SA_RESETHAND of that handler. A default action ends the process, after kill(2) as well.
 * A later call installs again where jitframe's handler has been taken out; else the call does nothing. A handler that
 * is put over jitframe's has to pass on the signals that it does not know.
 * returns: JF_E_UNSUPPORTED (a host without native stubs, or sigaction(2) failed), JF_E_NO_MEMORY. threads: any,
 *      outside of signal handlers.
 */
JF_API JF_CHECK enum jf_status jf_fault_handler_install(void);

JF_END_DECLS

#endif
