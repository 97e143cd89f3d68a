/* Calico's selector language (libcalico-go/lib/selector). This grammar defines it: the quick parser
   beside it must accept the same texts and build the same trees, and rejected texts are explained
   by it. Limits (label length, nesting) are checked by the callers of both. */
grammar Selector;

selector : anyOf? EOF ;
anyOf    : allOf ('||' allOf)* ;
allOf    : operand ('&&' operand)* ;
operand  : '!'* primary ;

primary
    : '(' anyOf ')'                                        # group
    | 'all(' ')'                                           # all
    | 'global(' ')'                                        # global
    | 'has(' label ')'                                     # has
    | label '==' value                                     # equal
    | label '!=' value                                     # notEqual
    | label CONTAINS value                                 # contains
    | label (STARTSWITH | STARTS WITH) value               # startsWith
    | label (ENDSWITH | ENDS WITH) value                   # endsWith
    | label IN values                                      # in
    | label (NOTIN | NOT IN) values                        # notIn
    ;

values   : '{' (value (',' value)* ','?)? '}' ;
value    : STRING ;
/* Words of the language are labels too, where a label stands. */
label    : LABEL | CONTAINS | STARTSWITH | STARTS | WITH | ENDSWITH | ENDS | IN | NOTIN | NOT ;

CONTAINS   : 'contains' ;
STARTSWITH : 'startswith' ;
STARTS     : 'starts' ;
WITH       : 'with' ;
ENDSWITH   : 'endswith' ;
ENDS       : 'ends' ;
IN         : 'in' ;
NOTIN      : 'notin' ;
NOT        : 'not' ;
LABEL      : [A-Za-z0-9_./-]+ ;
STRING     : '"' ~["]* '"' | '\'' ~[']* '\'' ;
BLANK      : [ \t]+ -> skip ;
