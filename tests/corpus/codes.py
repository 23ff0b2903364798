"""The codes of languages that Tatoeba, MediaWiki, FLORES-200, OPUS and our test corpora use, and their canonical tags.

Facts from their published lists: Tatoeba's languages, MediaWiki's names, the FLORES-200 list, OPUS' language ids
(GNOME, Ubuntu, KDE4, OpenSubtitles, QED, TED2020, bible-uedin, CCAligned, wikimedia) and the file names of the corpora.
"""

# codes that are canonical tags
CANONICAL = """
aa aae ab abr abs ace acf acm acu ady ae aeb af afb afh agr aig aii ain ajg ak ake akl aln als alt am ami amu
an ang ann anp aoz apc ar arc arl arn arq ary arz as ase ast atj av avk awa ay az azb ba bal ban bar bbc bcc
bci bcl bdr be be-tarask bem ber bew bg bgc bgn bh bho bi bjn blk bm bn bnt bo bol bpy bqi br brh brx bs bsn
btm bto bua bug bvy bxr byn bzt ca cak cay cbk cbr ccp cdo ce ceb ch chg chm chn cho chq chr chy cjp cjy ckb
ckt cku cmn cmo cnh cni co cop cpi cps cpu cpx cr crh crh-RO crp crs cs csb cu cv cy cyo da dag de dga dik din
diq dje djk dlg dng dop drt dsb dtp dty dua dv dws dz ee efi egl el emx en en-x-piglatin enm eo es es-419 et eu
evn ext fa fat ff fi fil fit fj fkv fo fon fr frc frm fro frp frr fuc fur fuv fvr fy ga gaa gag gan gbi gbm gcf
gcr gd gil gl gld glk gn gom gor gos got gpe grc gsw gu guc gur guw gv ha hai hak haw haz hch he hea hi hif hil
hke hlt hms hne hnj hno ho hoc hr hrx hsb hsn ht hu hup hus hy hyw hz ia iba ibb id ie ig igl ii ik ike ilo inh
io iro is it iu izh ja jak jam jbo jdt jiv jpa jut jv ka kaa kab kai kaj kam kar kbd kbh kbp kbr kcg kea kek kg
kge kha khw ki kiu kj kjh kjp kk kl km kn knc kng ko koi kok kpv kr krc kri krj krl ks ksh ksw ktu ku kum kus
kv kw kxi ky kzj la laa lad lb lbe ldn lez lfn lg li lij liv ljp lki lkt lld lmo ln lo lou loz lrc lt ltg lu
lua luo lus luy luz lv lvs lzh lzz mad mag mai mam max mdf mfe mg mgm mh mhr mi mic min miq mk ml mn mnc mni
mnw mo moh mos mr mrh mrj ms mt mui mus mvv mwl mww my myv mzn na nah nan nap nb nch nci nd nds nds-NL ne new
ng ngt ngu nhg nhn nia nit niu nl nlv nmz nn no nod nog non nov npi nqo nr nrm nso nst nup nv ny nyn nyo nys
oar oc oj ojb olo om or orv os osp osx ota otk pa pag pam pap pau pcd pck pcm pdc pdt pes pfl phn pi pih pl plt
pms pmy pnb pnt pot ppk ppl prg prs ps pt pwn qu quc qug quw quz qvm qya rap rel rgn rif rki rm rmc rmn rmy rn
ro rom rsk ru rue rup ruq rut rw ryu sa sah sas sat sc scn sco sd sdc sdh se sei ses sg sgn sgs sh shi shn shs
shy si sjd sje sjn sk skr sl sli slr sm sma sml smn sms sn so son sq sr srn sro ss st stq sty su sux sv sw swg
swh syc syl syr szl szy ta tay tbz tcy tdd te tet tg th thv ti tig tji tk tkl tl tlh tly tmh tmp tmr tmw tn to
toi tok tpi tpw tr tru trv ts tsz tt ttj tts tum tvl tw ty tyv tzl tzm udm udu ug uk umb ur urh usp uz vai ve
vec vep vi vls vmf vmw vo vot vro wa wae wal war wls wlx wo wuu xal xh xmf xsm xsy yaq ydd yi yo yrl yua yue za
zam zea zgh zh zlm zsm ztu zu zza
""".split()  # noqa: SIM905

# canonical tag:other,codes
OTHERS = """
ab:abk ace:ace_Latn ace-Arab:ace_Arab acm:acm_Arab acq:acq_Arab ady:ady-cyrl,ady_Cyrl
aeb-Arab:aeb-arab,aeb_Arab aeb-Latn:aeb-latn,aeb_Latn af:afr,afr_Latn ajp:ajp_Arab ak:aka,aka_Latn als:als_Latn
am:amh,amh_Ethi an:arg apc:apc_Arab ar:ara ar-SY:ar_SY ar-TN:ar_TN arb:arb_Arab arb-Latn:arb_Latn ars:ars_Arab
ary:ary_Arab arz:arz_Arab as:asm,asm_Beng ast:ast_Latn av:ava awa:awa_Deva ay:aym ayr:ayr_Latn az:aze
az-IR:az_IR azb:azb_Arab azj:azj_Latn ba:bak,bak_Cyrl ban:ban_Latn ban-Bali:ban-bali bbc:bbc-latn,bbc_Latn
be:bel,bel_Cyrl be-tarask:be-x-old,be_tarask,be_x_old,bel-tarask bem:bem_Latn bg:bul,bul_Cyrl bg-BG:bg_BG
bho:bho_Deva bi:bis bjn:bjn_Latn bjn-Arab:bjn_Arab bm:bam,bam_Latn bn:ben,ben_Beng bn-IN:bn_IN bo:bod,bod_Tibt
br:bre bs:bos,bos_Latn,bs_latn bug:bug_Latn bug-Bugi:bug_Bugi ca:cat,cat_Latn cbk-x-zam:cbk-zam,cbk_zam
cdo-Hant:cdo_Hant cdo-Latn:cdo_Latn ce:che ceb:ceb_Latn ch:cha cjk:cjk_Latn ckb:ckb_Arab cmn-Hans:cmn_Hans
cmn-Hans-x-beijing:cmn_Hans-beijing cmn-Hans-x-harbin:cmn_Hans-harbin cmn-Hans-x-nanjing:cmn_Hans-nanjing
cmn-Hans-x-tianjin:cmn_Hans-tianjin cmn-Hant:cmn_Hant co:cos cpx-Hans:cpx-hans,cpx_Hans
cpx-Hant:cpx-hant,cpx_Hant cpx-Latn:cpx-latn crh-Cyrl:crh-cyrl,crh_Cyrl crh-Latn:crh-latn,crh_Latn,crh_latn
crh-RO:crh-ro cs:ces,ces_Latn cu:chu cv:chv cy:cym,cym_Latn da:dan,dan_Latn da-DK:da_DK de:deu,deu_Latn
de-AT:de-at,de_AT de-CH:de-ch,de_CH,deu-CH de-DE:de_DE de-x-formal:de-formal,deu-formal dik:dik_Latn dv:div
dyu:dyu_Latn dz:dzo,dzo_Tibt ee:ewe,ewe_Latn el:ell,ell_Grek en:eng,eng_Latn en-AU:en_AU en-CA:en-ca,en_CA
en-GB:en-gb,en_GB,eng-GB en-NZ:en_NZ en-US:en_US en-ZA:en_ZA en-simple:simple eo:epo,epo_Latn es:spa,spa_Latn
es-AR:es_AR es-CL:es_CL es-CO:es_CO es-CR:es_CR es-DO:es_DO es-EC:es_EC es-ES:es_ES es-GT:es_GT es-HN:es_HN
es-MX:es_MX es-NI:es_NI es-PA:es_PA es-PE:es_PE es-PR:es_PR es-SV:es_SV es-UY:es_UY es-VE:es_VE
es-x-formal:es-formal,spa-formal et:est,est_Latn eu:eus,eus_Latn fa:fas fa-AF:fa_AF fa-IR:fa_IR ff:ful
fi:fin,fin_Latn fi-x-067:fin-067 fj:fij,fij_Latn fo:fao,fao_Latn fon:fon_Latn fr:fra,fra_Latn fr-CA:fr_CA,fr_ca
fr-FR:fr_FR fur:fur_Latn fuv:fuv_Latn fy:fry ga:gle,gle_Latn gan-Hans:gan-hans,gan_Hans
gan-Hant:gan-hant,gan_Hant gaz:gaz_Latn gd:gla,gla_Latn gl:glg,glg_Latn gn:grn,grn_Latn
gom-Deva:gom-deva,gom_Deva gom-Latn:gom-latn,gom_Latn gu:guj,guj_Gujr gv:glv ha:hau,hau_Latn
hak-Hans:hak-hans,hak_Hans hak-Hant:hak-hant,hak_Hant hak-Latn:hak-latn,hak_Latn he:heb,heb_Hebr
hi:hin,hin_Deva hi-IN:hi_IN hif-Latn:hif-latn,hif_Latn hne:hne_Deva hoc-Latn:hoc_Latn hr:hrv,hrv_Latn
ht:hat,hat_Latn hu:hun,hun_Latn hu-x-formal:hu-formal,hun-formal hy:hye,hye_Armn ia:ina id:ind,ind_Latn ie:ile
ig:ibo,ibo_Latn ii:iii ike-Cans:ike-cans,ike_Cans ike-Latn:ike-latn,ike_Latn ilo:ilo_Latn io:ido
is:isl,isl_Latn isv-Cyrl:isv_Cyrl isv-Latn:isv-latn,isv_Latn it:ita,ita_Latn it-IT:it_IT ja:jpn,jpn_Jpan
jv:jav,jav_Latn jv-Java:jav_Java ka:kat,kat_Geor kab:kab_Latn kac:kac_Latn kam:kam_Latn kbd:kbd-cyrl,kbd_Cyrl
kbp:kbp_Latn kea:kea_Latn kg:kon,kon_Latn khk:khk_Cyrl ki:kik,kik_Latn kk:kaz,kaz_Cyrl,kk-cyrl
kk-Arab:kaz_Arab,kk-arab kk-CN:kk-cn kk-KZ:kk-kz kk-Latn:kaz_Latn,kk-latn kk-TR:kk-tr kl:kal km:khm,khm_Khmr
kmb:kmb_Latn kmr:kmr_Latn kn:kan,kan_Knda knc-Arab:knc_Arab knc-Latn:knc_Latn ko:kor,kor_Hang
ko-KP:ko-kp,kor-KP kr:kau ks:kas ks-Arab:kas_Arab,ks-arab ks-Deva:kas_Deva,ks-deva ku:kur ku-Arab:ku-arab
ku-Latn:ku-latn,kur_Latn kv:kom kw:cor ky:kir,kir_Cyrl la:lat lb:ltz,ltz_Latn lfn-Cyrl:lfn_Cyrl
lfn-Latn:lfn_Latn lg:lug,lug_Latn li:lim,lim_Latn lij:lij_Latn lmo:lmo_Latn ln:lin,lin_Latn lo:lao,lao_Laoo
lt:lit,lit_Latn ltg:ltg_Latn lua:lua_Latn luo:luo_Latn lus:lus_Latn lv:lav lvs:lvs_Latn lzh:zh-classical
mag:mag_Deva mai:mai_Deva map-x-bms:map-bms,map_bms mg:mlg mh:mah mi:mri,mri_Latn min:min_Latn
min-Arab:min_Arab mk:mkd,mkd_Cyrl ml:mal,mal_Mlym mn:mon mnc-Latn:mnc-latn mnc-Mong:mnc-mong,mnc_Mong
mni-Beng:mni_Beng mos:mos_Latn mr:mar,mar_Deva ms:msa ms-Arab:ms-arab,msa_Arab ms-MY:ms_MY mt:mlt,mlt_Latn
my:mya,mya_Mymr na:nau nan:zh-min-nan nan-Hant:nan-hant,nan_Hant
nan-Latn-x-pehoeji:nan-latn-pehoeji,nan_Latn-pehoeji nan-Latn-x-tailo:nan-latn-tailo,nan_Latn-tailo
nb:no_nb,nob,nob_Latn nb-NO:nb_NO nds-NL:nds-nl,nds_nl ne:nep nl:nld,nld_Latn nl-NL:nl_NL
nl-x-informal:nl-informal,nld-informal nn:nno,nno_Latn nn-NO:nn_NO no:nor npi:npi_Deva nso:nso_Latn
nus:nus_Latn nv:nav ny:nya,nya_Latn oc:oci,oci_Latn oj:oji om:orm or:ori ory:ory_Orya os:oss ota-Arab:ota_Arab
ota-Latn:ota_Latn pa:pan,pan_Guru pag:pag_Latn pap:pap_Latn pbt:pbt_Arab pes:pes_Arab pi:pli pl:pol,pol_Latn
plt:plt_Latn prs:prs_Arab ps:pus pt:por,por_Latn pt-BR:por-BR,pt-br,pt_BR,pt_br pt-PT:pt_PT qu:que quy:quy_Latn
rm:roh rn:run,run_Latn ro:ron,ron_Latn roa-x-tara:roa-tara,roa_tara ru:rus,rus_Cyrl rup:roa-rup
ruq-Cyrl:ruq-cyrl,ruq_Cyrl ruq-Latn:ruq-latn,ruq_Latn rw:kin,kin_Latn sa:san,san_Deva sat:sat_Olck
sc:srd,srd_Latn scn:scn_Latn sd:snd,snd_Arab se:sme se-FI:se-fi se-NO:se-no se-SE:se-se sg:sag,sag_Latn
sgs:bat-smg sh:hbs sh-Cyrl:sh-cyrl sh-Latn:hbs_Latn,sh-latn shi-Latn:shi-latn shi-Tfng:shi-tfng shn:shn_Mymr
shy-Latn:shy-latn,shy_Latn si:sin,sin_Sinh sk:slk,slk_Latn skr:skr-arab,skr_Arab sl:slv,slv_Latn
sm:smo,smo_Latn sn:sna,sna_Latn so:som,som_Latn sq:sqi sr:srp sr-Cyrl:sr-ec,sr_Cyrl,srp_Cyrl
sr-Latn:sr-el,sr_Latn,srp_Latn sr-ME:sr_ME ss:ssw,ssw_Latn st:sot,sot_Latn su:sun,sun_Latn sv:swe,swe_Latn
sw:swa swh:swh_Latn szl:szl_Latn ta:tam,tam_Taml ta-LK:ta_LK taq-Latn:taq_Latn taq-Tfng:taq_Tfng
te:tel,tel_Telu tg:tg-cyrl,tgk,tgk_Cyrl tg-Latn:tg-latn,tgk_Latn tg-TJ:tg_TJ th:tha,tha_Thai ti:tir,tir_Ethi
tk:tuk,tuk_Latn tl:tgl,tgl_Latn tl-PH:tl_PH tly-Cyrl:tly-cyrl tn:tsn,tsn_Latn to:ton tok:toki tpi:tpi_Latn
tr:tur,tur_Latn tr-TR:tr_TR ts:tso,tso_Latn tt:tat tt-Cyrl:tat_Cyrl,tt-cyrl tt-Latn:tat_Latn,tt-latn
tum:tum_Latn tw:twi,twi_Latn ty:tah tzm-Tfng:tzm_Tfng ug:ug-arab,uig,uig_Arab ug-Latn:ug-latn,uig_Latn
uk:ukr,ukr_Cyrl umb:umb_Latn und-x-013:und-013 und-x-016:und-016 und-x-017:und-017 und-x-021:und-021
und-x-022:und-022 und-x-023:und-023 und-x-025:und-025 und-x-026:und-026 und-x-050:und-050 ur:urd,urd_Arab
ur-PK:ur_PK uz:uzb uz-Cyrl:uz-cyrl uz-Latn:uz-latn uzn-Latn:uzn_Latn vec:vec_Latn vi:vie,vie_Latn vi-VN:vi_VN
vo:vol vro:fiu-vro wa:wln war:war_Latn wo:wol,wol_Latn wuu-Hans:wuu-hans,wuu_Hans wuu-Hant:wuu-hant,wuu_Hant
x-cb:cb x-cx:cx x-cycl:cycl x-eml:eml x-ns:ns x-qa:qa x-qd:qd x-sz:sz x-tz:tz x-ze-en:ze_en x-ze-zh:ze_zh
x-zz:zz xh:xho,xho_Latn ydd:ydd_Hebr yi:yid yo:yor,yor_Latn yue:zh-yue,zh_yue yue-Hans:yue-hans,yue_Hans
yue-Hant:yue-hant,yue_Hant za:zha zgh-Latn:zgh-latn zh:zho zh-Hans:zh-cn,zh-hans,zh_CN,zh_cn,zho_Hans
zh-Hans-MY:zh-my zh-Hans-SG:zh-sg zh-Hant:zh-hant,zh-tw,zh_Hant,zh_TW,zh_tw,zho_Hant
zh-Hant-HK:zh-hk,zh_HK,zho_Hant-HK zh-Hant-MO:zh-mo zlm-Arab:zlm_Arab zsm:zsm_Latn zu:zul,zul_Latn
""".split()  # noqa: SIM905

TAGS = {
    **{code: code for code in CANONICAL},
    **{code: entry.partition(":")[0] for entry in OTHERS for code in entry.partition(":")[2].split(",")},
}
