/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/unit.h"

/*
 * The form of a function's instructions: all that code generation takes for granted. Not a verifier:
 * what the code does when it runs is not looked at.
 */

struct checker {
	const struct jf_program *program;
	struct jf_unit *unit;
	struct jf_usage *usage;
	struct jf_error *error;
	uint32_t index;
};

static enum jf_status refuse(const struct checker *c, enum jf_status status, const char *why)
{
	const struct jf_function *function = c->unit->function;

	return jf_error_set(c->error, status, function->name, "instruction %u, opcode 0x%02x: %s", c->index,
			    function->insns[c->index].opcode, why);
}

static enum jf_status bad(const struct checker *c, const char *why)
{
	return refuse(c, JF_E_BAD_INSN, why);
}

static enum jf_status check_alu(const struct checker *c, const struct jf_insn *insn, enum jf_op_kind kind)
{
	uint8_t code = JF_INSN_CODE(insn->opcode);
	bool reg = JF_INSN_SOURCE_X(insn->opcode);

	if (jf_insn_dst(insn) == JF_BPF_FP)
		return bad(c, "R10 is read-only");
	if (kind == JF_OP_SWAP) {
		if (insn->off || jf_insn_src(insn))
			return bad(c, "reserved field is not zero");
		if (insn->imm != 16 && insn->imm != 32 && insn->imm != 64)
			return bad(c, "byte swap of a width other than 16, 32, 64");
		return JF_OK;
	}
	if (code == 0x8 ? insn->imm || jf_insn_src(insn) : reg ? insn->imm != 0 : jf_insn_src(insn) != 0) {
		return bad(c, "reserved field is not zero");
	}
	switch (code) {
	case 0x3: /* div */
	case 0x9: /* mod */ return insn->off == 0 || insn->off == 1 ? JF_OK : bad(c, "offset is neither 0 nor 1");
	case 0xb: /* mov */
		if (!insn->off || (reg && (insn->off == 8 || insn->off == 16 ||
					   (insn->off == 32 && JF_INSN_CLASS(insn->opcode) == JF_CLASS_ALU64))))
			return JF_OK;
		return bad(c, "sign extension from a width other than 8, 16, 32");
	default: return insn->off ? bad(c, "reserved field is not zero") : JF_OK;
	}
}

static enum jf_status check_move(const struct checker *c, const struct jf_insn *insn, enum jf_op_kind kind)
{
	if (jf_insn_dst(insn) == JF_BPF_FP)
		return bad(c, "R10 is read-only");
	c->usage->per_cpu |= kind == JF_OP_PER_CPU;
	if (kind == JF_OP_PER_CPU)
		return insn->imm ? bad(c, "reserved field is not zero") : JF_OK;
	c->usage->arena = true;
	if (insn->imm != JF_CAST_TO_ARENA && insn->imm != JF_CAST_TO_USER)
		return bad(c, "cast between unknown address spaces");
	return JF_OK;
}

static enum jf_status check_argument(const struct checker *c, const struct jf_insn *insn, enum jf_op_kind kind)
{
	unsigned int number = (unsigned int)((kind == JF_OP_ARG_PUT ? -insn->off : insn->off) / 8);

	if (number > JF_OUT_ARGS_MAX)
		return bad(c, "more arguments than 12");
	if (kind == JF_OP_ARG_GET && jf_insn_dst(insn) == JF_BPF_FP)
		return bad(c, "R10 is read-only");
	if (JF_INSN_CLASS(insn->opcode) == JF_CLASS_ST ? jf_insn_src(insn) != 0 : insn->imm != 0)
		return bad(c, "reserved field is not zero");
	if (kind == JF_OP_ARG_PUT && number > c->usage->out_args)
		c->usage->out_args = (uint8_t)number;
	if (kind == JF_OP_ARG_GET && number > c->usage->in_args)
		c->usage->in_args = (uint8_t)number;
	/* What travelled in a register is gone once there was a call, or an argument for one. */
	if (kind == JF_OP_ARG_GET && (c->usage->calls || c->usage->out_args))
		c->usage->late_args |= (uint8_t)(1u << number);
	return JF_OK;
}

static bool is_jump(enum jf_op_kind kind)
{
	return kind == JF_OP_JUMP || kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_MAY_GOTO;
}

static enum jf_status check_jump(const struct checker *c, const struct jf_insn *insn, enum jf_op_kind kind)
{
	bool always = kind == JF_OP_JUMP_ALWAYS;
	bool is_long = always && JF_INSN_CLASS(insn->opcode) == JF_CLASS_JMP32; /* gotol: distance in imm */
	int64_t target = jf_jump_target(c->index, insn);

	c->usage->may_goto |= kind == JF_OP_MAY_GOTO;
	if (always || kind == JF_OP_MAY_GOTO ? insn->regs || (is_long ? insn->off != 0 : insn->imm != 0) :
	    JF_INSN_SOURCE_X(insn->opcode)   ? insn->imm != 0 :
					       jf_insn_src(insn) != 0)
		return bad(c, "reserved field is not zero");
	if (target < 0 || target >= c->unit->function->insn_count)
		return bad(c, "jump out of the function");
	c->unit->flags[target] |= JF_INSN_TARGET;
	return JF_OK;
}

static enum jf_status check_types(const struct checker *c, const struct jf_import *import)
{
	const uint32_t widths = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8;
	unsigned int count = import->arg_count < JF_REG_ARGS ? JF_REG_ARGS : import->arg_count;

	for (unsigned int i = 0; i <= count && i <= JF_ARGS_MAX; i++) {
		uint8_t bytes = i ? import->args[i - 1].bytes : import->result.bytes;

		if (bytes > 8 || !(widths >> bytes & 1))
			return jf_error_set(c->error, JF_E_INVAL, c->unit->function->name,
					    "instruction %u calls %s: type %u (0: result, 1: first argument) has %u "
					    "bytes; set 1, 2, 4 or 8, or 0 for 64 bits",
					    c->index, import->name ? import->name : "an import", i, bytes);
	}
	return JF_OK;
}

static enum jf_status check_import(const struct checker *c, const struct jf_import *imports, uint32_t count,
				   uint32_t number, const char *what)
{
	const struct jf_function *function = c->unit->function;

	if (number >= count || !imports[number].address)
		return jf_error_set(c->error, JF_E_UNSUPPORTED, function->name,
				    "instruction %u calls %s %u%s%s%s, which is not there", c->index, what, number,
				    number < count && imports[number].name ? " (" : "",
				    number < count && imports[number].name ? imports[number].name : "",
				    number < count && imports[number].name ? ")" : "");
	c->usage->throws |= imports[number].throws;
	c->usage->resumes |= imports[number].resumes;
	return check_types(c, &imports[number]);
}

static enum jf_status check_call(const struct checker *c, const struct jf_insn *insn)
{
	uint32_t number = (uint32_t)insn->imm;

	if (jf_insn_dst(insn) || insn->off)
		return bad(c, "reserved field is not zero");
	c->usage->calls++;
	switch (jf_insn_src(insn)) {
	case JF_SRC_HELPER:
		if (number == JF_HELPER_TAIL_CALL) {
			c->usage->tail_calls++;
			return JF_OK;
		}
		return c->program ? check_import(c, c->program->helpers, c->program->helper_count, number, "helper") :
				    JF_OK;
	case JF_SRC_FUNCTION:
		return !c->program || number < c->program->function_count ?
			       JF_OK :
			       bad(c, "call of a function that is not there");
	case JF_SRC_KFUNC:
		return c->program ? check_import(c, c->program->kfuncs, c->program->kfunc_count, number, "kfunc") :
				    JF_OK;
	default: return bad(c, "call of an unknown kind");
	}
}

/* callx: the register's number is in dst; older compilers put it into imm. */
static enum jf_status check_call_register(const struct checker *c, const struct jf_insn *insn)
{
	if (jf_insn_src(insn) || insn->off || insn->imm < 0 || insn->imm > JF_BPF_FP ||
	    (insn->imm && jf_insn_dst(insn)))
		return bad(c, "reserved field is not zero, or no such register");
	c->usage->calls++;
	c->usage->calls_register = true;
	if (!c->program)
		return JF_OK;
	if (!c->program->call_register.address)
		return refuse(c, JF_E_UNSUPPORTED, "calls through a register have nowhere to go");
	c->usage->throws |= c->program->call_register.throws;
	return check_types(c, &c->program->call_register);
}

static enum jf_status check_imm64(const struct checker *c, const struct jf_insn *insn)
{
	const struct jf_program *program = c->program;
	uint32_t number = (uint32_t)insn->imm;

	if (c->index + 1 >= c->unit->function->insn_count)
		return bad(c, "second half of a 16-byte instruction is missing");
	if (insn[1].opcode || insn[1].regs || insn[1].off || insn->off)
		return bad(c, "reserved field is not zero");
	if (jf_insn_dst(insn) == JF_BPF_FP)
		return bad(c, "R10 is read-only");
	if (!program)
		return JF_OK;
	switch (jf_insn_src(insn)) {
	case JF_SRC_IMM64: return JF_OK;
	case JF_SRC_MAP:
		return number < program->map_count && program->maps[number].object ?
			       JF_OK :
			       bad(c, "reference to a map that is not there");
	case JF_SRC_MAP_VALUE:
		return number < program->map_count && program->maps[number].value ?
			       JF_OK :
			       bad(c, "reference to a map value that is not there");
	case JF_SRC_CODE:
		return number < program->function_count ? JF_OK : bad(c, "address of a function that is not there");
	default: return refuse(c, JF_E_UNSUPPORTED, "64-bit immediate of an unknown kind");
	}
}

static enum jf_status check_atomic(const struct checker *c, const struct jf_insn *insn)
{
	uint8_t bytes = jf_insn_bytes(insn->opcode);

	switch (insn->imm) {
	case 0x100: /* load-acquire */ return jf_insn_dst(insn) == JF_BPF_FP ? bad(c, "R10 is read-only") : JF_OK;
	case 0x110: /* store-release */ return JF_OK;
	case 0x00:
	case 0x01:
	case 0x40:
	case 0x41:
	case 0x50:
	case 0x51:
	case 0xa0:
	case 0xa1:
	case 0xe1:
	case 0xf1: break;
	default: return bad(c, "unknown atomic operation");
	}
	if (bytes != 4 && bytes != 8)
		return bad(c, "atomic operation of a width other than 4 or 8 bytes");
	/* cmpxchg puts the old value into R0, other fetching operations into src. */
	if (insn->imm & 1 && insn->imm != 0xf1 && jf_insn_src(insn) == JF_BPF_FP)
		return bad(c, "R10 is read-only");
	return JF_OK;
}

static enum jf_status check_memory(const struct checker *c, const struct jf_insn *insn, enum jf_op_kind kind)
{
	c->usage->arena |= JF_INSN_MODE(insn->opcode) == JF_MODE_ARENA ||
			   JF_INSN_MODE(insn->opcode) == JF_MODE_ARENA_ATOMIC ||
			   (kind == JF_OP_LOAD && JF_INSN_MODE(insn->opcode) == JF_MODE_ARENA_SX);
	if (kind == JF_OP_ATOMIC)
		return check_atomic(c, insn);
	if (JF_INSN_CLASS(insn->opcode) == JF_CLASS_ST)
		return jf_insn_src(insn) ? bad(c, "reserved field is not zero") : JF_OK;
	if (insn->imm)
		return bad(c, "reserved field is not zero");
	if (kind == JF_OP_LOAD && jf_insn_dst(insn) == JF_BPF_FP)
		return bad(c, "R10 is read-only");
	return JF_OK;
}

/*
 * Most instructions have nothing to look at but reserved fields and register numbers. For those this
 * table says which fields have to be zero; where it has nothing, or an instruction does not agree, all
 * is looked at one by one. No branch depends on what the instruction is: this is done for every one.
 */
struct plain {
	uint32_t regs;      /* what jf_insn_regs has to say of its registers; 0: look at it one by one */
	uint32_t fp_access; /* and of an access by R10 */
	uint32_t imm_zero;  /* bits that have to be zero */
	uint16_t off_zero;
};

#define ALL_BITS 0xffffffff
/* clang-format off */
#define PLAIN_ALU(bits)                                                                            \
	[(bits) << 4 | 0x04] = { JF_REGS_SET_IMM, 0, 0, 0xffff },                                  \
	[(bits) << 4 | 0x07] = { JF_REGS_SET_IMM, 0, 0, 0xffff },                                  \
	[(bits) << 4 | 0x0c] = { JF_REGS_SET, 0, ALL_BITS, 0xffff },                               \
	[(bits) << 4 | 0x0f] = { JF_REGS_SET, 0, ALL_BITS, 0xffff }
#define PLAIN_SIZES(class, regs, fp_access, imm_zero)                                              \
	[(class) | JF_MODE_MEM | 0x00] = { regs, fp_access, imm_zero, 0 },                         \
	[(class) | JF_MODE_MEM | 0x08] = { regs, fp_access, imm_zero, 0 },                         \
	[(class) | JF_MODE_MEM | 0x10] = { regs, fp_access, imm_zero, 0 },                         \
	[(class) | JF_MODE_MEM | 0x18] = { regs, fp_access, imm_zero, 0 }
/* clang-format on */

static const struct plain plains[256] = {
	PLAIN_ALU(0x0),
	PLAIN_ALU(0x1),
	PLAIN_ALU(0x2),
	PLAIN_ALU(0x3),
	PLAIN_ALU(0x4),
	PLAIN_ALU(0x5),
	PLAIN_ALU(0x6),
	PLAIN_ALU(0x7),
	PLAIN_ALU(0x9),
	PLAIN_ALU(0xa),
	PLAIN_ALU(0xb),
	PLAIN_ALU(0xc),
	PLAIN_SIZES(JF_CLASS_LDX, JF_REGS_SET, JF_REGS_FROM_FP, ALL_BITS),
	PLAIN_SIZES(JF_CLASS_ST, JF_REGS_READ_IMM, JF_REGS_TO_FP, 0),
	PLAIN_SIZES(JF_CLASS_STX, JF_REGS_READ, JF_REGS_TO_FP, ALL_BITS),
};

static inline bool is_plain(const struct jf_insn *insn, const struct plain *plain, uint32_t regs)
{
	return !((unsigned int)!(regs & plain->regs) | ((uint16_t)insn->off & plain->off_zero) |
		 ((uint32_t)insn->imm & plain->imm_zero));
}

static enum jf_status check_one(const struct checker *c, const struct jf_insn *insn, enum jf_op_kind kind)
{
	if (kind == JF_OP_ARG_PUT ? jf_insn_src(insn) > JF_BPF_FP :
	    kind == JF_OP_ARG_GET ? jf_insn_dst(insn) > JF_BPF_FP :
				    jf_insn_dst(insn) > JF_BPF_FP ||
					    (kind != JF_OP_CALL && jf_insn_src(insn) > JF_BPF_FP))
		return bad(c, "register number over 10");
	switch (kind) {
	case JF_OP_ALU:
	case JF_OP_SWAP: return check_alu(c, insn, kind);
	case JF_OP_JUMP:
	case JF_OP_JUMP_ALWAYS:
	case JF_OP_MAY_GOTO: return check_jump(c, insn, kind);
	case JF_OP_CALL: return check_call(c, insn);
	case JF_OP_CALL_REG: return check_call_register(c, insn);
	case JF_OP_CAST:
	case JF_OP_PER_CPU: return check_move(c, insn, kind);
	case JF_OP_ARG_PUT:
	case JF_OP_ARG_GET: return check_argument(c, insn, kind);
	case JF_OP_EXIT: return insn->regs || insn->off || insn->imm ? bad(c, "reserved field is not zero") : JF_OK;
	case JF_OP_IMM64: return check_imm64(c, insn);
	case JF_OP_LOAD:
	case JF_OP_STORE:
	case JF_OP_ATOMIC: return check_memory(c, insn, kind);
	case JF_OP_UNSUPPORTED:
		return refuse(c, JF_E_UNSUPPORTED, "a load from a packet (LD_ABS, LD_IND): call a function that loads");
	default: return bad(c, "no such instruction");
	}
}

/* Jumps were marked before the instructions that they go to had been looked at. */
static enum jf_status check_targets(struct checker *c)
{
	const uint8_t wrong = JF_INSN_SECOND | JF_INSN_TARGET;
	const struct jf_function *function = c->unit->function;

	for (uint32_t target = 0; target < function->insn_count; target++) {
		if ((c->unit->flags[target] & wrong) != wrong)
			continue;
		for (c->index = 0; c->index < function->insn_count; c->index++)
			if (!(c->unit->flags[c->index] & JF_INSN_SECOND) &&
			    is_jump(jf_insn_kind(&function->insns[c->index])) &&
			    jf_jump_target(c->index, &function->insns[c->index]) == target)
				return bad(c, "jump into the middle of a 16-byte instruction");
	}
	return JF_OK;
}

static inline int32_t min(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* Looks at all instructions. out: *last = kind of the last one that is more than plain data flow, or JF_OP_ALU. */
static enum jf_status check_all(struct checker *c, enum jf_op_kind *last)
{
	const struct jf_insn *insns = c->unit->function->insns;
	uint32_t count = c->unit->function->insn_count;
	struct jf_usage *usage = c->usage;
	uint32_t named = 0, fp_beside = 0;
	int32_t fp_lowest = 0;

	for (uint32_t index = 0; index < count; index++) {
		const struct jf_insn *insn = &insns[index];
		const struct plain *plain = &plains[insn->opcode];
		uint32_t regs = jf_insn_regs[insn->regs];
		uint32_t by_fp = 0 - (uint32_t)((regs & plain->fp_access) != 0);
		enum jf_status status;

		named |= regs;
		fp_beside |= regs & ~by_fp;
		fp_lowest = min(fp_lowest, insn->off & (int32_t)by_fp);
		*last = JF_OP_ALU;
		if (__builtin_expect(is_plain(insn, plain, regs), true))
			continue;
		fp_beside |= regs;
		c->index = index;
		*last = jf_insn_kind(insn);
		status = check_one(c, insn, *last);
		if (status != JF_OK)
			return status;
		usage->jumps |= is_jump(*last);
		if (*last == JF_OP_IMM64) {
			c->unit->flags[++index] |= JF_INSN_SECOND;
			usage->wide = true;
		}
	}
	usage->bpf_regs |= (uint16_t)named;
	usage->fp_beside = (fp_beside & 1u << JF_BPF_FP) != 0;
	usage->fp_lowest = fp_lowest;
	return JF_OK;
}

enum jf_status jf_unit_check(const struct jf_program *program, struct jf_unit *unit, struct jf_usage *usage,
			     struct jf_error *error)
{
	const struct jf_function *function = unit->function;
	struct checker c = {.program = program, .unit = unit, .usage = usage, .error = error};
	enum jf_op_kind last = JF_OP_BAD;
	enum jf_status status;

	if (!function->name || !function->insns || !function->insn_count)
		return jf_error_set(error, JF_E_BAD_INSN, function->name ? function->name : "",
				    "function has no instructions");
	status = check_all(&c, &last);
	if (status == JF_OK && usage->jumps && usage->wide)
		status = check_targets(&c);
	if (status != JF_OK)
		return status;
	c.index = function->insn_count - 1;
	/* A call may be last: one that does not return, as a throw. */
	if (last != JF_OP_EXIT && last != JF_OP_JUMP_ALWAYS && last != JF_OP_CALL && last != JF_OP_CALL_REG)
		return bad(&c, "control falls off the end of the function");
	return JF_OK;
}
