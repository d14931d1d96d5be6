{#- Whether a rule of production applies. A rule that `vars: rules` names is on or off as said there; any other
    follows `parity`: off while the originals are reproduced, on when not. A rule called with option=true is
    an option: off unless `rules` names it. -#}
{% macro rule(name, option=false) %}
    {%- set chosen = var('rules', {}) or {} -%}
    {%- if name in chosen -%}
        {{ return(chosen[name]) }}
    {%- endif -%}
    {{ return(not option and not var('parity')) }}
{% endmacro %}
