/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_JITFRAME_H
#define JF_JITFRAME_H

/* Everything. Each header also stands alone. */
#include <jitframe/alu.h>
#include <jitframe/backend.h>
#include <jitframe/backtrace.h>
#include <jitframe/body.h>
#include <jitframe/build.h>
#include <jitframe/cfi.h>
#include <jitframe/check.h>
#include <jitframe/cleanup.h>
#include <jitframe/code.h>
#include <jitframe/codemap.h>
#include <jitframe/compile.h>
#include <jitframe/contract.h>
#include <jitframe/describe.h>
#include <jitframe/effect.h>
#include <jitframe/fault.h>
#include <jitframe/frame.h>
#include <jitframe/function.h>
#include <jitframe/image.h>
#include <jitframe/isa.h>
#include <jitframe/load.h>
#include <jitframe/orc.h>
#include <jitframe/program.h>
#include <jitframe/program_array.h>
#include <jitframe/publish.h>
#include <jitframe/reg.h>
#include <jitframe/row.h>
#include <jitframe/rows.h>
#include <jitframe/sframe.h>
#include <jitframe/source.h>
#include <jitframe/status.h>
#include <jitframe/throw.h>
#include <jitframe/version.h>
#include <jitframe/walk.h>

#endif
