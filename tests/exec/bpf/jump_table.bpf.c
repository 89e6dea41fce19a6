/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_test.h"

/* A jump through a register, into a table of places: written out, as few compilers make such tables. */
SEC("socket") __attribute__((naked)) int jump_table(void)
{
	__asm__ volatile(".pushsection .jumptables,\"\",@progbits;"
			 "table: .quad 10f - socket;"
			 ".quad 11f - socket;"
			 ".quad 12f - socket;"
			 ".quad 10f - socket;"
			 ".size table, 32;"
			 ".global table;"
			 ".popsection;"
			 "r6 = *(u64 *)(r1 + 0);"
			 "r2 = 100;"
			 "r3 = 5;"
			 "9: r6 &= 3;"
			 "r6 <<= 3;"
			 "r1 = table ll;"
			 "r1 += r6;"
			 "r1 = *(u64 *)(r1 + 0);"
			 ".8byte 0x000000000000010d;" /* goto r1 */
			 "10: r0 = r2;"
			 "r0 += 1;"
			 "exit;"
			 "11: r2 += 10;"
			 "r3 -= 1;"
			 "if r3 != 0 goto 11b;"
			 "r6 = 3;"
			 "goto 9b;"
			 "12: r0 = 12;"
			 "exit;" ::
				 : "memory");
}
