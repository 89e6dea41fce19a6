# SPDX-License-Identifier: BSD-2-Clause
# An object file with a table as Linux's objtool writes it; loongarch64.txt is what objtool prints of it.
# One line per entry: where it begins, sp, fp and ra register code and offset, type, signal.

	.macro	entry section, off, sp, sp_off, fp, fp_off, ra, ra_off, type, signal
	.section .orc_unwind, "a"
	.short	\sp_off, \fp_off, \ra_off, \sp | \fp << 4 | \ra << 8 | \type << 12 | \signal << 15
	.section .orc_unwind_ip, "a"
	.long	\section + \off - .
	.endm

	.set	UND, 0
	.set	PREV_SP, 1
	.set	SP, 2
	.set	FP, 3
	.set	NOTHING, 0
	.set	END, 1
	.set	CALL, 2
	.set	REGS, 3
	.set	PARTIAL, 4

	.text
	.fill	0x100
	.section .init.text, "ax"
	.type	init_function, @function
init_function:
	.fill	0x40

	# A function, from the first instruction to the last.
	entry	.text, 0x00, SP, 0, UND, 0, UND, 0, CALL, 0
	entry	.text, 0x04, SP, 96, UND, 0, UND, 0, CALL, 0
	entry	.text, 0x08, SP, 96, UND, 0, PREV_SP, -8, CALL, 0
	entry	.text, 0x0c, SP, 96, PREV_SP, -16, PREV_SP, -8, CALL, 0
	entry	.text, 0x24, FP, 0, PREV_SP, -16, PREV_SP, -8, CALL, 0
	entry	.text, 0x5c, SP, 96, UND, 0, UND, 0, CALL, 0
	entry	.text, 0x60, SP, 0, UND, 0, UND, 0, CALL, 0
	entry	.text, 0x64, UND, 0, UND, 0, UND, 0, NOTHING, 0
	# The base of the frame in an entry by fp, which counts for nothing.
	entry	.text, 0x80, FP, 16, PREV_SP, -16, PREV_SP, -8, CALL, 0
	entry	.text, 0x90, SP, 2032, PREV_SP, -2032, PREV_SP, -32768, CALL, 0
	entry	.text, 0x94, SP, 32767, UND, 0, PREV_SP, 8, CALL, 1
	entry	.text, 0x98, SP, 0, UND, 0, UND, 0, REGS, 1
	entry	.text, 0xa0, SP, 0, UND, 0, UND, 0, PARTIAL, 1
	entry	.text, 0xa8, UND, 0, UND, 0, UND, 0, END, 0
	# Where .text ends, and, in another section, an entry before those that it comes behind.
	entry	.text, 0x100, UND, 0, UND, 0, UND, 0, NOTHING, 0
	entry	.init.text, 0x20, SP, 16, UND, 0, PREV_SP, -8, CALL, 0
	entry	.init.text, 0x40, UND, 0, UND, 0, UND, 0, NOTHING, 0
	entry	.init.text, 0x00, SP, 0, UND, 0, UND, 0, CALL, 0
	# Codes and types that there are none of.
	entry	.init.text, 0x28, 4, 1, 15, -1, 7, 2, 5, 0
	entry	.init.text, 0x2c, PREV_SP, 1, SP, -1, FP, 2, 7, 1
