// objc_msgSend for x86-64 (System V): GCC's runtime finds methods with objc_msg_lookup and leaves the jump to the caller.
// All registers that can hold arguments are saved around the look-up; arguments on the stack stay where they are.

        .text
        .globl  objc_msgSend
        .type   objc_msgSend, @function
objc_msgSend:
        pushq   %rbp
        movq    %rsp, %rbp
        subq    $192, %rsp
        movq    %rdi, -8(%rbp)
        movq    %rsi, -16(%rbp)
        movq    %rdx, -24(%rbp)
        movq    %rcx, -32(%rbp)
        movq    %r8, -40(%rbp)
        movq    %r9, -48(%rbp)
        movq    %rax, -56(%rbp)
        movups  %xmm0, -80(%rbp)
        movups  %xmm1, -96(%rbp)
        movups  %xmm2, -112(%rbp)
        movups  %xmm3, -128(%rbp)
        movups  %xmm4, -144(%rbp)
        movups  %xmm5, -160(%rbp)
        movups  %xmm6, -176(%rbp)
        movups  %xmm7, -192(%rbp)
        call    fake_lookup@PLT
        movq    %rax, %r11
        movq    -8(%rbp), %rdi
        movq    -16(%rbp), %rsi
        movq    -24(%rbp), %rdx
        movq    -32(%rbp), %rcx
        movq    -40(%rbp), %r8
        movq    -48(%rbp), %r9
        movq    -56(%rbp), %rax
        movups  -80(%rbp), %xmm0
        movups  -96(%rbp), %xmm1
        movups  -112(%rbp), %xmm2
        movups  -128(%rbp), %xmm3
        movups  -144(%rbp), %xmm4
        movups  -160(%rbp), %xmm5
        movups  -176(%rbp), %xmm6
        movups  -192(%rbp), %xmm7
        leave
        jmp     *%r11
        .size   objc_msgSend, .-objc_msgSend
        .section .note.GNU-stack, "", @progbits
