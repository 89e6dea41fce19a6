# SPDX-License-Identifier: BSD-2-Clause
# An object file with a table as objtool of Linux 7.2 writes it; x86_64.txt is what that prints of it.
# One line per entry: where it begins, sp and bp register code and offset, type, signal.

	.macro	entry section, off, sp, sp_off, bp, bp_off, type, signal
	.section .orc_unwind, "a"
	.short	\sp_off, \bp_off, \sp | \bp << 4 | \type << 8 | \signal << 11
	.section .orc_unwind_ip, "a"
	.long	\section + \off - .
	.endm

	.set	UND, 0
	.set	AX, 1
	.set	DX, 2
	.set	SP, 3
	.set	BP, 4
	.set	DI, 5
	.set	R10, 6
	.set	R13, 7
	.set	PREV_SP, 8
	.set	SP_INDIRECT, 9
	.set	BP_INDIRECT, 10
	.set	NOTHING, 0
	.set	END, 1
	.set	CALL, 2
	.set	REGS, 3
	.set	PARTIAL, 4

	.text
	.fill	0x100
	.section .init.text, "ax"
	.fill	0x40

	# A function with a frame pointer.
	entry	.text, 0x00, SP, 8, UND, 0, CALL, 0
	entry	.text, 0x01, SP, 16, PREV_SP, -16, CALL, 0
	entry	.text, 0x04, BP, 16, PREV_SP, -16, CALL, 0
	entry	.text, 0x2f, SP, 8, UND, 0, CALL, 0
	entry	.text, 0x30, UND, 0, UND, 0, NOTHING, 0
	# One that realigns its stack.
	entry	.text, 0x40, SP, 8, UND, 0, CALL, 0
	entry	.text, 0x45, R10, 8, UND, 0, CALL, 0
	entry	.text, 0x50, BP_INDIRECT, -8, BP, 0, CALL, 0
	entry	.text, 0x60, R10, 8, UND, 0, CALL, 0
	entry	.text, 0x61, R13, 0, BP, -16, CALL, 0
	entry	.text, 0x62, AX, 0, UND, 0, CALL, 0
	entry	.text, 0x63, DX, 16, UND, 0, CALL, 0
	entry	.text, 0x64, DI, -32768, UND, 0, CALL, 1
	entry	.text, 0x65, SP_INDIRECT, 32767, PREV_SP, -32768, CALL, 0
	entry	.text, 0x68, SP, 0, UND, 0, REGS, 1
	entry	.text, 0x70, SP, 16, UND, 0, PARTIAL, 1
	entry	.text, 0x78, UND, 0, UND, 0, END, 0
	# Where .text ends, and, in another section, an entry before those that it comes behind.
	entry	.text, 0x100, UND, 0, UND, 0, NOTHING, 0
	entry	.init.text, 0x20, SP, 16, UND, 0, CALL, 0
	entry	.init.text, 0x40, UND, 0, UND, 0, NOTHING, 0
	entry	.init.text, 0x00, SP, 8, UND, 0, CALL, 0
	# Codes and types that there are none of.
	entry	.init.text, 0x28, 11, 1, 15, -1, 5, 0
	entry	.init.text, 0x2c, PREV_SP, 1, SP, -1, 7, 1
